/** Probabilities of classes as bars, with their numbers. */

import { el } from "./dom.js";
import { percent } from "./format.js";
import { t } from "./i18n.js";

/** @param {{class: string, probability: number}[]} predictions best first @param {string | null} label the right class, where it is known @param {number} [most] */
export function bars(predictions, label, most = 10) {
  return el("ol", { class: "bars", "aria-label": t("bars.label") }, predictions.slice(0, most).map((one) => bar(one, label)));
}

/** @param {{class: string, probability: number}} one @param {string | null} label */
function bar(one, label) {
  const right = one.class === label;
  return el("li", { class: right ? "label" : "", css: { "--share": one.probability } },
    el("span", { class: "name" }, one.class, right && el("span", { class: "mark" }, ` ✓ ${t("bars.right")}`)), el("span", { class: "value" }, percent(one.probability, 1)));
}
