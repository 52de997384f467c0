// The strangers of a run at a door that the reader opens: whom to enrol, from how many photos, and how near is near
// enough. It stands in an output of a notebook and in a page from a file, without the explorer: door.js is this alone.
import { Announcer } from "../common/announcer";
import { arrowKeys } from "../common/arrow-keys";
import { el } from "../common/elements";
import { sentences, t, tNodes } from "../common/texts";
import { accepts } from "../common/threshold";
import { visible } from "../state/symbol-names";
import css from "./door.min.css";

// As widgets.py writes it.
interface DoorData {
  names: string[];
  photos: number; // of each person
  dims: number;
  unit: boolean; // whether a template is of unit length
  scale: number; // of a place's whole numbers
  places: string; // (people, photos, dims) 16-bit numbers, in base 64
  picture: string; // the address of all photos in one: a row a person
  threshold: number;
  most: number; // where the threshold's slider ends
  enrolled: number; // people, at first
}

export function open(root: HTMLElement, data: DoorData) {
  new Door(root, data);
}

class Door {
  private names: string[];
  private enrolled: Set<number>;
  private buttons: HTMLButtonElement[];
  private images: HTMLElement[][]; // of each person
  private count = el("select", { autocomplete: "off", ariaLabel: t("photos to enrol from") });
  private threshold = el("input", {
    type: "range",
    min: 0,
    step: "any",
    autocomplete: "off",
    ariaLabel: t("threshold"),
  });
  private value = el("b");
  private summary = el("output", { ariaLive: "off" });
  private line = el("em", {}, t("Point at a photo to see whom it is nearest to."));
  private pointed: HTMLElement | null = null; // the photo that the line tells of
  private announcer = new Announcer();
  private places: Float64Array;

  constructor(
    root: HTMLElement,
    private data: DoorData,
  ) {
    const bytes = Uint8Array.from(atob(data.places), (c) => c.charCodeAt(0));
    this.places = Float64Array.from(new Int16Array(bytes.buffer), (v) => v * data.scale);
    this.names = data.names.map((name, i) => (visible(name) ? name : t("person {0}", i + 1)));
    this.enrolled = new Set([...this.names.keys()].slice(0, data.enrolled));
    for (const k of [1, 3, 5]) if (k < data.photos) this.count.add(new Option(`${k}`, `${k}`, k === 3, k === 3));
    Object.assign(this.threshold, { max: data.most, value: data.threshold });
    this.count.onchange = this.threshold.oninput = () => this.changed();
    this.buttons = this.names.map((name, person) => this.button(name, person));
    this.images = this.names.map((_, person) => Array.from({ length: data.photos }, (_, k) => this.image(person, k)));
    this.announcer.root.className = "live";
    const threshold = el("label", { className: "threshold" }, t("threshold"), " ", this.threshold, this.value);
    root.append(
      el("style", {}, css),
      el("p", {}, el("label", {}, ...tNodes("enrol from {0} photos", this.count)), threshold),
      this.grid(),
      el("p", {}, this.summary),
      this.announcer.root,
      el("p", {}, el("small", {}, this.line)),
    );
    this.draw();
  }

  private button(name: string, person: number) {
    const toggle = () => {
      this.enrolled.delete(person) || this.enrolled.add(person);
      this.changed();
    };
    return el("button", { title: name, onclick: toggle }, name);
  }

  private image(person: number, photo: number) {
    const share = (i: number, n: number) => `${n > 1 ? (100 * i) / (n - 1) : 0}%`;
    const image = el("i", { role: "gridcell" });
    image.style.backgroundPosition = `${share(photo, this.data.photos)} ${share(person, this.names.length)}`;
    image.onpointerenter = image.onfocus = () => {
      this.pointed = image;
      this.tell();
    };
    return image;
  }

  // All people and photos are one stop of the Tab key, and arrow keys go about among them.
  private grid() {
    const ariaLabel = t("people and their photos: arrow keys go from one to the next");
    const grid = el("div", { className: "people", role: "grid", ariaLabel });
    const rows = this.buttons.map((button, person): HTMLElement[] => [button, ...this.images[person]]);
    for (const [button, ...images] of rows)
      grid.append(el("div", { role: "row" }, el("span", { role: "rowheader" }, button), ...images));
    const { data, names } = this;
    const style = { picture: `url(${data.picture})`, photos: `${data.photos}`, count: `${names.length}` };
    for (const [name, value] of Object.entries(style)) grid.style.setProperty(`--${name}`, value);
    arrowKeys(grid, () => rows)();
    return grid;
  }

  private place(person: number, photo: number) {
    const { photos, dims } = this.data;
    return this.places.subarray((person * photos + photo) * dims, (person * photos + photo + 1) * dims);
  }

  // The mean of a person's first photos, in the cosine family a direction.
  private template(person: number, count: number) {
    const all = Array.from({ length: count }, (_, photo) => this.place(person, photo));
    const mean = Float64Array.from(all[0], (_, j) => all.reduce((sum, place) => sum + place[j], 0) / count);
    const length = this.data.unit ? Math.hypot(...mean) || 1 : 1;
    return mean.map((v) => v / length);
  }

  private changed() {
    this.draw();
    this.announcer.say(this.summary.textContent ?? "");
  }

  private tell() {
    if (this.pointed) this.line.textContent = this.pointed.ariaLabel;
  }

  private draw() {
    const count = Number(this.count.value);
    const templates = new Map([...this.enrolled].sort((a, b) => a - b).map((k) => [k, this.template(k, count)]));
    const n = { sample: 0, in: 0, wrong: 0, away: 0, out: 0, let: 0 };
    this.images.forEach((images, person) => {
      this.buttons[person].ariaPressed = `${this.enrolled.has(person)}`;
      images.forEach((image, photo) => {
        const sample = this.enrolled.has(person) && photo < count;
        const kind = sample ? "sample" : this.judge(image, person, photo, templates);
        if (sample) image.ariaLabel = t("photo {0} of {1}: enrols {1}", photo + 1, this.names[person]);
        n[kind]++;
        image.className = kind === "let" ? "wrong" : kind;
      });
    });
    this.value.textContent = written(this.threshold.valueAsNumber);
    this.tell();
    const [friends, strangers] = [n.in + n.wrong + n.away, n.let + n.out];
    const known = t(
      "Of {0} more photos of the {1} enrolled, {2} are accepted under their name, {3} under another name, and {4} are rejected.",
      friends,
      templates.size,
      n.in,
      n.wrong,
      n.away,
    );
    const others =
      n.let === 1
        ? t("Of {0} photos of strangers, 1 is accepted.", strangers)
        : t("Of {0} photos of strangers, {1} are accepted.", strangers, n.let);
    this.summary.textContent = sentences([known, others]);
  }

  // What becomes of a photo that enrols none: one of a friend is let in under the right or a wrong name or turned away, one
  // of a stranger let in or kept out. Its words are those of the image.
  private judge(image: HTMLElement, person: number, photo: number, templates: Map<number, Float64Array>) {
    const place = this.place(person, photo);
    let [who, nearest] = [-1, Number.POSITIVE_INFINITY];
    for (const [k, template] of templates) {
      const distance = Math.hypot(...place.map((v, j) => v - template[j]));
      if (distance < nearest) [who, nearest] = [k, distance];
    }
    const opens = accepts(this.threshold.valueAsNumber, nearest);
    const told = [photo + 1, this.names[person], this.names[who], written(nearest)];
    if (who < 0) image.ariaLabel = t("photo {0} of {1}", ...told);
    else if (opens) image.ariaLabel = t("photo {0} of {1}: nearest to {2}, {3} away: accepted", ...told);
    else image.ariaLabel = t("photo {0} of {1}: nearest to {2}, {3} away: rejected", ...told);
    if (!this.enrolled.has(person)) return opens ? "let" : "out";
    return !opens ? "away" : who === person ? "in" : "wrong";
  }
}

const written = (v: number) => (v === 0 || v >= 0.1 ? v.toFixed(2) : v.toPrecision(2));
