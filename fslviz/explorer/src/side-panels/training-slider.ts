// Goes through the trainings: a slider, and a button that plays it.
import { button, el, slider } from "../common/elements";
import { formatCount } from "../common/format";
import { t } from "../common/texts";
import { reducedMotion } from "../common/timing";

const LENGTH = 6000; // ms that a training plays
const STOPS = 6; // where motion is reduced, it goes from place to place
const REST = 600; // ms at each

export class TrainingSlider {
  readonly root: HTMLElement;
  private playing = 0;
  private button: HTMLButtonElement;
  private slider: HTMLInputElement;
  private said = el("p.figures");

  // `show`: shows a place in the training, 0 to 1.
  constructor(private show: (step: number) => Promise<void>) {
    this.button = button(t("Play"), () => (this.playing ? this.stop() : this.play()));
    this.slider = slider(t("place in the training"), [0, 1, 0.01], (step) => {
      this.stop();
      this.show(step);
    });
    this.root = el("div.bar.training", {}, el("strong", {}, t("Training")), this.button, this.slider, this.said);
  }

  private play() {
    const run = ++count;
    let step = this.slider.valueAsNumber < 1 ? this.slider.valueAsNumber : 0;
    let before = performance.now();
    const tick = async () => {
      if (this.playing !== run) return;
      const now = performance.now();
      step = Math.min(1, step + (reducedMotion() ? 1 / STOPS : (now - before) / LENGTH));
      before = now;
      await this.show(step);
      if (step >= 1 && this.playing === run) return this.stop();
      setTimeout(() => requestAnimationFrame(tick), reducedMotion() ? REST : 0);
    };
    this.playing = run;
    requestAnimationFrame(tick);
    this.button.textContent = t("Pause");
  }

  stop() {
    this.playing = 0;
    this.button.textContent = t("Play");
  }

  get isPlaying() {
    return this.playing > 0;
  }

  say(step: number, images: number) {
    this.slider.value = `${step}`;
    this.said.textContent = t("{0} images seen", formatCount(images));
    this.slider.setAttribute("aria-valuetext", this.said.textContent);
  }
}

let count = 0;
