/** Values and objectives in words. */

import { el } from "../dom.js";
import { exact, percent } from "../format.js";
import { t } from "../i18n.js";

/**
 * @typedef {object} Objective
 * @property {string} name
 * @property {"minimize" | "maximize"} direction
 */

const WORDS = { nan: "NaN", inf: "∞", "-inf": "−∞" };

/** A trial's value, which may be no number. @param {number | string | null | undefined} value @param {Objective} [objective] */
export function valueText(value, objective) {
  if (typeof value === "string") return WORDS[/** @type {keyof typeof WORDS} */ (value)] ?? value;
  return isShare(objective) && typeof value === "number" && Math.abs(value) <= 1 ? percent(value) : exact(value);
}

/** Whether it is told in percent. @param {Objective} [objective] */
export function isShare(objective) {
  return /accuracy$/.test(objective?.name ?? "");
}

/** How an axis and the box under the pointer write it. @param {Objective} objective @param {(number | null)[]} values */
export function valueFormat(objective, values) {
  // A few that went astray do not count.
  const known = values.filter((value) => value !== null);
  const inside = known.filter((value) => Math.abs(Number(value)) <= 1).length;
  return isShare(objective) && inside >= 0.8 * known.length ? { axis: ".1~%", hover: ".2%" } : { axis: "", hover: ".6~g" };
}

/** `accuracy ↑` @param {Objective} objective */
export function objectiveText(objective) {
  const up = objective.direction === "maximize";
  return el("span", { class: "objective", title: t(up ? "study.maximize" : "study.minimize") }, `${objectiveName(objective)} ${up ? "↑" : "↓"}`);
}

/** What has words of its own in place of a name. */
const NAMED = ["value", "parameters", "multiply_adds"];

/** Words for an objective in a chart. @param {Objective} objective */
export function objectiveName(objective) {
  return NAMED.includes(objective.name) ? t(`study.${objective.name}`) : objective.name;
}

/** The values of a trial, one after the other. @param {(number | string)[]} values @param {Objective[]} objectives */
export function valuesText(values, objectives) {
  if (!values.length) return "–";
  return values.map((value, idx) => valueText(value, objectives[idx])).join(" · ");
}
