// The built file: fills the places in a page of the book, and exports the front end of the notebook's widget.
import { dress } from "./common/style";
import { fromScripts, Pack } from "./data/pack";
import { MovingFigure } from "./figures/moving-figure";
import { Page } from "./page/page";

export { render } from "./page/widget";

const base = (document.currentScript as HTMLScriptElement | null)?.src?.replace(/[^/]*$/, "");
if (base)
  document.addEventListener("DOMContentLoaded", () => {
    const ask = fromScripts(base);
    const pack = new Pack(ask);
    document.querySelectorAll<HTMLElement>("div.fslviz-explorer").forEach((root, i) => {
      dress(root);
      const page = new Page(root, pack, JSON.parse(root.dataset.options!), `explorer${i ? i + 1 : ""}`);
      Object.assign(root, { explorer: page });
      page.start();
    });
    for (const root of document.querySelectorAll<HTMLElement>("div.fslviz-move")) {
      const images = [...(root.closest(".cell_output")?.querySelectorAll("img") ?? [])];
      const image = images.find((i) => root.compareDocumentPosition(i) & Node.DOCUMENT_POSITION_FOLLOWING);
      if (!image) continue;
      dress(root);
      const { controls, pictures } = JSON.parse(root.dataset.options!);
      Object.assign(root, { movingFigure: new MovingFigure(root, image, controls, () => ask(pictures)) });
    }
  });
