// The explorer's look, put where the root is: a page, or a shadow root within one.

import { el } from "./elements";
import css from "./style.min.css";

export function dress(root: HTMLElement) {
  root.classList.add("fx-root");
  root.dir = "ltr"; // its words and its axes run so, whatever the page around it does
  const place = root.getRootNode();
  const target = place instanceof ShadowRoot ? place : document.head;
  if (!target.querySelector("style.fx-explorer")) target.append(el("style.explorer", {}, css));
}
