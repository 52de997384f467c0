// The losses as a reader knows them, in the order of the course.
export const NAMES = { contrastive: "Contrastive", triplet: "Triplet", softmax: "Softmax", normface: "NormFace",
  sphereface: "SphereFace", cosface: "CosFace", arcface: "ArcFace" };
const SIX = " of six digits"; // which networks that have met six of the ten are called
for (const loss of ["contrastive", "triplet", "softmax", "arcface"]) NAMES[`${loss}-six`] = NAMES[loss] + SIX;

// An element: el("p.note", { title: "x" }, "text", child). Classes get the prefix fx-.
export function el(kind, properties = {}, ...children) {
  const [tag, ...classes] = kind.split("."), node = document.createElement(tag);
  if (classes.length) node.className = classes.map((c) => `fx-${c}`).join(" ");
  for (const [k, v] of Object.entries(properties)) {
    if (/^(aria|role|style)/.test(k)) node.setAttribute(k.replace(/^aria(.)/, "aria-$1").toLowerCase(), v);
    else node[k] = v;
  }
  node.append(...children);
  return node;
}

export const percent = (v, digits = 1) => `${(100 * v).toFixed(digits)}%`;
