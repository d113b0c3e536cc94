/** What each layer makes of a picture: its maps as tiles, drawn from the server's bytes. */

import { el } from "../dom.js";
import { count, significant } from "../format.js";
import { t } from "../i18n.js";

/**
 * @typedef {object} Layer
 * @property {string} name
 * @property {string} layer
 * @property {number[]} dims
 * @property {number} shown
 * @property {string} maps base64 of a byte for each value, each map scaled to its own least and greatest
 * @property {number[]} min
 * @property {number[]} max
 */

/** Color of a byte: black, blue, green, yellow, evenly lighter, as viridis is. */
const STOPS = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];
const COLORS = Array.from({ length: 256 }, (_, value) => {
  const at = (value / 255) * (STOPS.length - 1);
  const low = Math.min(Math.floor(at), STOPS.length - 2);
  return STOPS[low].map((channel, i) => Math.round(channel + (STOPS[low + 1][i] - channel) * (at - low)));
});

/** @param {Layer[]} layers @returns {HTMLElement} */
export function mapTiles(layers) {
  return el("div", { class: "maps", data: { test: "maps" } }, layers.map(row));
}

/** @param {Layer} layer */
function row(layer) {
  const bytes = Uint8Array.from(atob(layer.maps), (letter) => letter.charCodeAt(0));
  const isFlat = layer.dims.length < 3;
  const tiles = isFlat ? [strip(layer, bytes)] : images(layer, bytes);
  const total = layer.dims[0];
  const left = isFlat || total <= layer.shown ? null : el("span", { class: "muted small" }, t("maps.more", { n: count(total - layer.shown) }));
  return el("section", { class: "map-row", "aria-label": `${layer.name} ${layer.layer}`, data: { test: `maps-${layer.name}` } },
    el("h3", {}, el("span", { class: "mono" }, layer.name), " ", el("span", { class: "map-about" }, `${layer.layer} · ${layer.dims.map(count).join(" × ")}`)),
    el("div", { class: "map-tiles" }, tiles, left));
}

/** @param {Layer} layer @param {Uint8Array} bytes */
function images(layer, bytes) {
  const [, height, width] = layer.dims;
  const length = width * height;
  // Small maps are enlarged by whole factors, so that a value stays a square.
  const zoom = Math.max(1, Math.round(56 / Math.max(width, height)));
  return Array.from({ length: layer.shown }, (_, i) => {
    const title = t("maps.range", { n: i, min: significant(layer.min[i]), max: significant(layer.max[i]) });
    return tile(bytes.subarray(i * length, (i + 1) * length), width, height, zoom, zoom, title);
  });
}

/** Numbers without a place: one strip. @param {Layer} layer @param {Uint8Array} bytes */
function strip(layer, bytes) {
  const width = Math.max(3, Math.min(28, Math.floor(560 / bytes.length)));
  const title = t("maps.strip", { n: count(bytes.length), min: significant(layer.min[0]), max: significant(layer.max[0]) });
  return tile(bytes, bytes.length, 1, width, 24, title);
}

/** @param {Uint8Array} bytes @param {number} width @param {number} height @param {number} across @param {number} down @param {string} title */
function tile(bytes, width, height, across, down, title) {
  const canvas = el("canvas", { class: "map", width, height, role: "img", "aria-label": title, title, css: { "--w": width * across, "--h": height * down } });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let i = 0; i < width * height; i += 1) {
    const [r, g, b] = COLORS[bytes[i] ?? 0];
    image.data.set([r, g, b, 255], i * 4);
  }
  context.putImageData(image, 0, 0);
  return canvas;
}
