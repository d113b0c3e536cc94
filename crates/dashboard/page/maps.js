/** Numbers as pictures: maps of a layer side by side on one canvas, filters with their sign. */

import { el } from "./dom.js";
import { significant } from "./format.js";
import { t } from "./i18n.js";

/** Corners of the colors from low to high, as matplotlib's inferno has them at quarters. */
const FIRE = [[0, 0, 4], [87, 16, 110], [188, 55, 84], [249, 142, 9], [252, 255, 164]];
/** From below zero over zero to above, blue and orange of Okabe and Ito. */
const SIGNED = [[0, 114, 178], [245, 243, 238], [213, 94, 0]];
const GAP = 1;
/** Cells in a row of a layer without rows and columns. */
const FLAT_ROW = 42;

/** @param {number[][]} corners @param {number} x 0 to 1 @returns {number[]} red, green, blue */
function between(corners, x) {
  const at = Math.min(Math.max(x, 0), 1) * (corners.length - 1);
  const idx = Math.min(Math.floor(at), corners.length - 2);
  return corners[idx].map((low, c) => low + (corners[idx + 1][c] - low) * (at - idx));
}

/** A canvas of tiles. @param {number} n @param {number} h @param {number} w @param {number} columns @param {(tile: number, row: number, column: number) => number[]} color */
function tiles(n, h, w, columns, color) {
  const rows = Math.ceil(n / columns);
  const width = columns * (w + GAP) - GAP;
  const height = rows * (h + GAP) - GAP;
  const canvas = el("canvas", { width, height, role: "img" });
  const context = canvas.getContext("2d");
  const picture = context.createImageData(width, height);
  for (let tile = 0; tile < n; tile++) {
    const left = (tile % columns) * (w + GAP);
    const top = Math.floor(tile / columns) * (h + GAP);
    for (let row = 0; row < h; row++) {
      for (let column = 0; column < w; column++) {
        picture.data.set([...color(tile, row, column), 255], 4 * ((top + row) * width + left + column));
      }
    }
  }
  context.putImageData(picture, 0, 0);
  return canvas;
}

/** What a layer gave: its maps, each from its own least to its own greatest value. @param {any} layer */
export function mapsFigure(layer) {
  const bytes = Uint8Array.from(atob(layer.maps), (character) => character.charCodeAt(0));
  const flat = layer.dims.length === 1;
  const [h, w] = flat ? [1, 1] : layer.dims.slice(1);
  const n = flat ? bytes.length : layer.shown;
  const columns = flat ? Math.min(n, FLAT_ROW) : columnsOf(n, h, w);
  const canvas = tiles(n, h, w, columns, (tile, row, column) => between(FIRE, bytes[(tile * h + row) * w + column] / 255));
  canvas.style.width = `${canvas.width * scale(flat ? 11 : Math.max(h, w))}px`;
  const about = t(flat ? "maps.flat" : "maps.about", { name: layer.name, n: layer.dims[0], shape: `${h} × ${w}` });
  canvas.setAttribute("aria-label", about);
  const range = t("maps.range", { min: significant(Math.min(...layer.min)), max: significant(Math.max(...layer.max)) });
  const hidden = !flat && layer.shown < layer.dims[0] ? t("maps.first", { n: layer.shown }) : "";
  return el("figure", { class: "maps" }, el("figcaption", {}, el("code", {}, layer.name), el("span", {}, layer.layer), el("span", { class: "muted" }, layer.dims.join(" × ")), el("span", { class: "muted" }, range, " ", hidden)), canvas);
}

/** @param {number} n @param {number} h @param {number} w */
function columnsOf(n, h, w) {
  const room = Math.max(1, Math.floor(660 / ((w + GAP) * scale(Math.max(h, w)))));
  return Math.min(n, room);
}

/** Pixels for a value, so that small maps are not lost. @param {number} side */
function scale(side) {
  return side > 40 ? 1 : side > 20 ? 2 : side > 10 ? 4 : side > 4 ? 6 : 10;
}

/** Filters of a convolution, one picture for each; several channels stand below each other. @param {{dims: number[], values: number[]}} filters */
export function filterPictures({ dims: [n, channels, h, w], values }) {
  const most = values.reduce((a, b) => Math.max(a, Math.abs(b)), 1e-12);
  const size = channels * h * w;
  return Array.from({ length: n }, (_, filter) => {
    const at = (/** @type {number} */ channel, /** @type {number} */ row, /** @type {number} */ column) => values[filter * size + (channel * h + row) * w + column];
    const canvas = tiles(channels, h, w, 1, (channel, row, column) => between(SIGNED, 0.5 + at(channel, row, column) / (2 * most)));
    canvas.style.width = `${w * Math.max(4, Math.round(56 / w))}px`;
    canvas.setAttribute("aria-label", t("filters.one", { n: filter + 1 }));
    return canvas;
  });
}

/** The scale of the signed colors. */
export function signedScale() {
  return el("p", { class: "scale muted" }, "−", el("span", { class: "signed-scale", "aria-hidden": "true" }), "+");
}
