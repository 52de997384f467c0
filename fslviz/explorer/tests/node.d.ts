// What the tests take of Node, and of the check that is no TypeScript.
declare module "node:test" {
  export default function test(name: string, body: () => void | Promise<void>): void;
}
declare module "node:assert/strict" {
  const assert: {
    ok(value: unknown, message?: string): void;
    equal(actual: unknown, expected: unknown, message?: string): void;
    deepEqual(actual: unknown, expected: unknown, message?: string): void;
    throws(body: () => void, message?: RegExp | string): void;
  };
  export default assert;
}
declare module "*/floors.mjs" {
  export function wrong(files: Record<string, string>): string[];
}
