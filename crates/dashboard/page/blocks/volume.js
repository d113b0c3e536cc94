/** A layer's output as a small box: its face is rows by columns, its depth the channels. */

import { svg } from "../dom.js";

const SIDE = 30;
const DEPTH = 13;

/** @param {number[] | null} dims [channels, rows, columns] or [length] */
export function volume(dims) {
  const picture = svg("svg", { class: "volume", viewBox: "0 0 48 44", width: 48, height: 44, "aria-hidden": "true" });
  if (!dims) return picture;
  picture.append(...(dims.length === 1 ? row(dims[0]) : box(dims)));
  return picture;
}

/** @param {number[]} dims */
function box([channels, rows, columns]) {
  const size = (/** @type {number} */ n) => 4 + (SIDE - 4) * Math.min(1, Math.log2(n + 1) / 6);
  const [h, w] = [size(rows), size(columns)];
  const d = 2 + (DEPTH - 2) * Math.min(1, Math.log2(channels + 1) / 8);
  const x = (48 - w - d) / 2;
  const y = (44 - h - d) / 2 + d;
  const points = (/** @type {number[][]} */ corners) => corners.map((corner) => corner.map((v) => v.toFixed(1)).join()).join(" ");
  return [
    svg("polygon", { class: "side", points: points([[x, y], [x + d, y - d], [x + d + w, y - d], [x + w, y]]) }),
    svg("polygon", { class: "side dark", points: points([[x + w, y], [x + d + w, y - d], [x + d + w, y - d + h], [x + w, y + h]]) }),
    svg("rect", { class: "face", x, y, width: w, height: h }),
  ];
}

/** @param {number} length */
function row(length) {
  const h = 8 + 32 * Math.min(1, Math.log2(length + 1) / 12);
  return [svg("rect", { class: "face", x: 21, y: (44 - h) / 2, width: 6, height: h })];
}
