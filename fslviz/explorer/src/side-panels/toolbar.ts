// The bars above the spaces: the losses, the classes to light, the tools, and how many digits are lit.
import { hex, type Rgb } from "../common/colour";
import { button, el, setPressed } from "../common/elements";
import { formatCount } from "../common/format";
import { displayName } from "../common/loss-name";
import { t } from "../common/texts";
import type { State } from "../state/state";

export interface ToolbarActions {
  state: State;
  lassoing: boolean;
  set(change: Partial<State>, newEntry: boolean): void;
  chooseTool(lasso: boolean): void;
  reset(): void;
  link(): string | null; // of the view, where it has one
  linkIsWhole: boolean; // whether it has room for the symbols
  save(): void;
}

export class Toolbar {
  readonly root: HTMLElement;
  private losses: Record<string, HTMLButtonElement> = {};
  private classes: HTMLButtonElement[];
  private tools: [HTMLButtonElement, HTMLButtonElement];
  private together = el("input", { type: "checkbox" });
  private follows = el("label.check", {}, this.together, " ", t("zoom follows the digits"));
  private count = el("span.figures");
  private copied = el("input.link", { type: "text", readOnly: true, hidden: true, ariaLabel: t("the link") });

  // `offered`: the losses to choose from, or none.
  constructor(
    offered: string[],
    colours: Rgb[],
    private actions: ToolbarActions,
  ) {
    for (const loss of offered) this.losses[loss] = button(displayName(loss), () => this.choose(loss));
    this.classes = colours.map((c, k) => {
      const properties = { type: "button", style: `--c:${hex(c)}`, ariaLabel: t("highlight the digits {0}", k) };
      return el("button.digit", { ...properties, onclick: () => this.selectClass(k) }, `${k}`);
    });
    this.tools = [
      button(t("Move"), () => actions.chooseTool(false)),
      button(t("Lasso"), () => actions.chooseTool(true)),
    ];
    this.together.onchange = () => actions.set({ together: this.together.checked }, true);
    const reset = button(t("Reset"), () => actions.reset());
    const copy = button(t("Copy link"), () => this.copy());
    const save = button(t("Save spaces"), () => actions.save());
    if (actions.link() === null) copy.hidden = true;
    const losses = el("div.bar", { role: "group", ariaLabel: t("losses") }, ...Object.values(this.losses));
    losses.hidden = !offered.length;
    const classes = el("span.set", { role: "group", ariaLabel: t("highlight a class") }, ...this.classes);
    const ofSpaces = [...this.tools, reset, save];
    if (!actions.state.losses.length) for (const node of [classes, ...ofSpaces]) node.hidden = true;
    const tools = el("span.set", { role: "group", ariaLabel: t("tools") }, ...ofSpaces, copy, this.copied);
    this.root = el("div", {}, losses, el("div.bar", {}, classes, tools, this.follows, this.count));
  }

  private choose(loss: string) {
    const { losses, gallerySpace, lead } = this.actions.state;
    const wanted = losses.includes(loss) ? losses.filter((l) => l !== loss) : [...losses, loss];
    const chosen = Object.keys(this.losses).filter((l) => wanted.includes(l));
    if (!chosen.length) return;
    const kept = (l: string) => (chosen.includes(l) ? l : chosen[0]);
    this.actions.set({ losses: chosen, gallerySpace: kept(gallerySpace), lead: kept(lead) }, true);
  }

  private selectClass(k: number) {
    const { selection } = this.actions.state;
    const now = selection?.kind === "classes" ? selection.classes : [];
    const classes = now.includes(k) ? now.filter((c) => c !== k) : [...now, k];
    this.actions.set({ selection: classes.length ? { kind: "classes", classes } : null }, true);
  }

  // A page opened from a file may have no clipboard: then the link stands there, chosen, to be copied by hand.
  private async copy() {
    const link = this.actions.link() ?? "";
    try {
      await navigator.clipboard.writeText(link);
      this.copied.hidden = true;
      this.count.textContent = this.actions.linkIsWhole
        ? t("The link is copied.")
        : t("The link is copied, without the symbols, which are too many for it.");
    } catch {
      Object.assign(this.copied, { value: link, hidden: false });
      this.copied.focus();
      this.copied.select();
      if (!this.actions.linkIsWhole)
        this.count.textContent = t("The link is without the symbols, which are too many for it.");
    }
  }

  say(selected: Set<number> | null) {
    const { losses, selection: asked, together } = this.actions.state;
    for (const [loss, chip] of Object.entries(this.losses)) setPressed(chip, losses.includes(loss));
    this.classes.forEach((chip, k) => setPressed(chip, asked?.kind === "classes" && asked.classes.includes(k)));
    this.tools.forEach((chip, i) => setPressed(chip, this.actions.lassoing === (i === 1)));
    this.together.checked = together;
    this.follows.hidden = losses.length < 2;
    this.count.textContent = selected ? t("{0} digits highlighted", formatCount(selected.size)) : "";
    this.copied.hidden = true;
  }

  get said() {
    return this.count.textContent ?? "";
  }
}
