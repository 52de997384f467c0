// What the build takes in as it is.
declare module "*.css" {
  const text: string;
  export default text;
}
declare module "*.wasm" {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
declare var fslvizTexts: Record<string, string> | undefined; // of a page that is not in English
