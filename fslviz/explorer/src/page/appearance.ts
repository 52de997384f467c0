// What makes a picture stale and does not come from the reader: another size, another theme, another screen.
export function watchAppearance(grid: HTMLElement, changed: () => void, signal: AbortSignal) {
  const scaled = () => {
    changed();
    matchMedia(`(resolution: ${devicePixelRatio}dppx)`).addEventListener("change", scaled, { signal, once: true });
  };
  // Moved to another screen, or zoomed: a size in CSS pixels tells nothing of it.
  scaled();
  const observers = [new ResizeObserver(changed), new MutationObserver(changed)] as const;
  observers[0].observe(grid);
  for (const node of [document.documentElement, document.body]) observers[1].observe(node, { attributes: true });
  for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"])
    matchMedia(query).addEventListener("change", changed, { signal });
  signal.addEventListener("abort", () => observers.forEach((o) => o.disconnect()));
}
