// The built file: fills the places in a page of the book, and exports the front end of the notebook's widget.
import { fromScripts, Pack } from "./pack";
import { Page } from "./page";
import { dress } from "./style";

export { render } from "./widget";

const base = (document.currentScript as HTMLScriptElement | null)?.src?.replace(/[^/]*$/, "");
if (base)
  document.addEventListener("DOMContentLoaded", () => {
    const pack = new Pack(fromScripts(base));
    document.querySelectorAll<HTMLElement>("div.fslviz-explorer").forEach((root, i) => {
      dress(root);
      const page = new Page(root, pack, JSON.parse(root.dataset.options!), `explorer${i ? i + 1 : ""}`);
      Object.assign(root, { explorer: page });
      page.start();
    });
  });
