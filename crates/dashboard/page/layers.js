/** The layers of a network with shapes and costs. */

import { el } from "./dom.js";
import { count } from "./format.js";
import { t } from "./i18n.js";

/** @param {any[]} layers */
export function layersTable(layers) {
  const sums = { parameters: total(layers, "parameters"), multiply_adds: total(layers, "multiply_adds") };
  const share = (/** @type {any} */ layer, /** @type {"parameters" | "multiply_adds"} */ key) => (sums[key] > 0 ? layer[key] / sums[key] : 0);
  const cost = (/** @type {any} */ layer, /** @type {"parameters" | "multiply_adds"} */ key) =>
    el("td", { class: "n share", css: { "--share": share(layer, key) } }, layer[key] ? count(layer[key]) : "");
  const line = (/** @type {any} */ layer) => el("tr", {}, el("th", { scope: "row" }, el("code", {}, layer.name)), el("td", {}, layer.layer), el("td", { class: "n" }, layer.output), cost(layer, "parameters"), cost(layer, "multiply_adds"));
  const foot = el("tr", {}, el("th", { scope: "row", colspan: 3 }, t("layers.sum")), el("td", { class: "n" }, count(sums.parameters)), el("td", { class: "n" }, count(sums.multiply_adds)));
  const head = ["layers.name", "layers.layer", "layers.output", "layers.parameters", "layers.multiplyAdds"];
  return el("div", { class: "scroll" }, el("table", { class: "plain layers" },
    el("thead", {}, el("tr", {}, head.map((key, idx) => el("th", { scope: "col", class: idx > 1 ? "n" : "" }, t(key))))),
    el("tbody", {}, layers.map(line)), el("tfoot", {}, foot)));
}

/** @param {any[]} layers @param {string} key */
function total(layers, key) {
  return layers.reduce((sum, layer) => sum + layer[key], 0);
}
