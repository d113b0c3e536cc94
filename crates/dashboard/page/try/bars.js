/** How likely each class is: a list with bars, the best first; bars move in place as the answer changes. */

import { el } from "../dom.js";
import { percent } from "../format.js";
import { t } from "../i18n.js";

const SHOWN = 10;

export function bars() {
  const list = el("ol", { class: "bars", "aria-label": t("try.bars"), data: { test: "bars" } });

  /** @param {{class: string, probability: number}[]} predictions best first @param {string | null} label the true class, if known */
  function show(predictions, label) {
    list.replaceChildren(...predictions.slice(0, SHOWN).map((prediction, at) => bar(prediction, at, label)));
  }

  return { element: list, show };
}

/** @param {{class: string, probability: number}} prediction @param {number} at @param {string | null} label */
function bar(prediction, at, label) {
  const isTrue = label === prediction.class;
  return el("li", { class: ["bar", at === 0 && "is-best", isTrue && "is-true"] },
    el("span", { class: "bar-class" }, prediction.class, isTrue ? el("span", { class: "tag tag-good" }, t("try.true")) : null),
    el("span", { class: "bar-track", "aria-hidden": "true" }, el("span", { class: "bar-fill", css: { "--share": prediction.probability } })),
    el("span", { class: "bar-percent number" }, percent(prediction.probability, 1)));
}
