// When to move, and when to wait.
export const reducedMotion = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

// Between parts of long work: what a reader does meanwhile comes first.
export const letInputIn = () => new Promise<void>((resolve) => setTimeout(resolve));
