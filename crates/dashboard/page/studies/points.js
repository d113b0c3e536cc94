/** What the charts of parameters share: the columns, and the way from a point to its trial. */

import { go } from "../router.js";
import { axis } from "../plot.js";
import { trialHash } from "./path.js";

/**
 * @typedef {{name: string, kind: "float" | "int" | "categorical", log: boolean, low: number | null, high: number | null, categories: string[] | null, n: number}} Axis
 * @typedef {{axis: Axis, values: (number | null)[]}} Column
 * @typedef {{objective: import("./show.js").Objective, n: number, number: number[], value: number[], feasible: boolean[], n_axes: number, axes: Column[]}} Points
 */

/** A pressed point opens its trial, which stands in `customdata`. @param {any} chart @param {string} id */
export function openOnClick(chart, id) {
  if (chart.dataset.opens) return;
  chart.dataset.opens = "true";
  chart.on("plotly_click", (/** @type {any} */ event) => {
    const number = event.points[0]?.customdata;
    if (number !== undefined && number !== null) go(trialHash(id, number));
  });
}

/** Columns that vary, the most important first where that is known. @param {Points} points @param {string[]} order */
export function varying(points, order) {
  const place = (/** @type {string} */ name) => (order.includes(name) ? order.indexOf(name) : order.length);
  const varies = (/** @type {Column} */ column) => new Set(column.values.filter((value) => value !== null)).size > 1;
  return points.axes.filter(varies).sort((a, b) => place(a.axis.name) - place(b.axis.name));
}

/** A chart's axis for a parameter. @param {Axis} of @param {Record<string, any>} own */
export function paramAxis(of, own) {
  if (of.categories) {
    const labels = of.categories.map((label) => chartText(label.length > 14 ? `${label.slice(0, 13)}…` : label));
    return axis({ tickvals: labels.map((_, idx) => idx), ticktext: labels, range: [-0.5, labels.length - 0.5], showgrid: false, ...own });
  }
  const decades = of.log && of.low && of.high && of.high / of.low >= 30;
  return axis({ type: of.log ? "log" : "linear", showgrid: false, nticks: 5, ...(decades ? { dtick: 1 } : {}), ...(of.log ? { tickformat: "~g" } : {}), ...own });
}

/** A text as the chart library shows it, which takes some of HTML for markup. @param {string} text */
export function chartText(text) {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
}

/** A name that fits. @param {string} name @param {number} [longest] */
export function shortName(name, longest = 24) {
  return name.length > longest ? `…${name.slice(1 - longest)}` : name;
}
