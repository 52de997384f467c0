// A click on a link to a state of this page.

// The text that it holds under a key, or null: for another page, or for another window.
export function clickedText(event: MouseEvent, key: string): string | null {
  const { button, ctrlKey, metaKey, shiftKey, altKey, defaultPrevented } = event;
  const [link] = event.composedPath().filter((node) => node instanceof HTMLAnchorElement);
  if (button || ctrlKey || metaKey || shiftKey || altKey || defaultPrevented || !link || link.target) return null;
  if (link.href.split("#")[0] !== location.href.split("#")[0]) return null;
  return new URLSearchParams(link.hash.slice(1)).get(key);
}
