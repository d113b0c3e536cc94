/** Filters of a convolution as pictures with their sign: blue below zero, orange above, both of Okabe and Ito. */

import { el } from "./dom.js";
import { t } from "./i18n.js";

const SIGNED = [[0, 114, 178], [245, 243, 238], [213, 94, 0]];
const SIDE_PX = 64;
const GAP = 1;

/** One picture for each filter; its channels stand below each other. @param {{dims: number[], values: number[]}} filters */
export function filterPictures({ dims: [n, channels, h, w], values }) {
  const most = values.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-12);
  const size = channels * h * w;
  return Array.from({ length: n }, (_, filter) => {
    const canvas = picture(values.slice(filter * size, (filter + 1) * size).map((value) => value / most), channels, h, w);
    canvas.style.width = `${w * Math.max(4, Math.round(SIDE_PX / w))}px`;
    canvas.setAttribute("aria-label", t("filters.one", { n: filter + 1 }));
    return canvas;
  });
}

/** @param {number[]} values -1 to 1 @param {number} channels @param {number} h @param {number} w */
function picture(values, channels, h, w) {
  const height = channels * (h + GAP) - GAP;
  const canvas = el("canvas", { width: w, height, role: "img" });
  const context = canvas.getContext("2d");
  const image = context.createImageData(w, height);
  values.forEach((value, idx) => {
    const row = Math.floor(idx / w) + GAP * Math.floor(idx / (h * w));
    image.data.set([...color(value), 255], 4 * (row * w + (idx % w)));
  });
  context.putImageData(image, 0, 0);
  return canvas;
}

/** @param {number} value -1 to 1 @returns {number[]} red, green, blue */
function color(value) {
  const [from, to] = value < 0 ? [SIGNED[1], SIGNED[0]] : [SIGNED[1], SIGNED[2]];
  return from.map((zero, c) => zero + (to[c] - zero) * Math.min(Math.abs(value), 1));
}

/** The scale of these colors. */
export function signedScale() {
  return el("p", { class: "scale muted" }, "−", el("span", { class: "signed-scale", "aria-hidden": "true" }), "+");
}
