// Rows of elements as one stop of the Tab key, among which arrow keys go about.
const STEPS: Record<string, [number, number]> = {
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
};

// `rows`: those that there are now, within `root`. Gives what is to be called when they have changed.
export function arrowKeys(root: HTMLElement, rows: () => HTMLElement[][]): () => void {
  const stop = (at: EventTarget | null | undefined) => {
    for (const node of rows().flat()) node.tabIndex = node === at ? 0 : -1;
  };
  root.addEventListener("focusin", ({ target }) => stop(target));
  root.addEventListener("keydown", (event) => {
    const now = rows();
    const row = now.findIndex((nodes) => nodes.includes(event.target as HTMLElement));
    const step = STEPS[event.key];
    if (!step || row < 0) return;
    event.preventDefault();
    now[row + step[0]]?.[now[row].indexOf(event.target as HTMLElement) + step[1]]?.focus();
  });
  return () =>
    stop(
      rows()
        .flat()
        .find((node) => node.tabIndex === 0) ?? rows().flat()[0],
    );
}
