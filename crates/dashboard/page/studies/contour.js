/** How the value goes with two parameters: what lies between the trials is a weighted mean of those nearby. */

import { el, replace } from "../dom.js";
import { t } from "../i18n.js";
import { CONFIG, layout, plotly } from "../plot.js";
import { stops } from "./colors.js";
import { nothing } from "./part.js";
import { chartText, openOnClick, paramAxis, shortName, varying } from "./points.js";
import { usualRange } from "./range.js";
import { objectiveName, valueFormat } from "./show.js";

/** Places on each side of the grid. */
const GRID = 36;
/** Width of the weights' bell, as a share of an axis. */
const WIDTH = 0.07;

/** The two parameters that the reader chose, kept while they stay. */
export class Contour {
  constructor() {
    /** What the reader chose. @type {(string | null)[]} */
    this.names = [null, null];
    this.shown = ["", ""];
  }

  /** @param {HTMLElement} body @param {string} id @param {import("./points.js").Points} points @param {string[]} order @param {AbortSignal} signal */
  async draw(body, id, points, order, signal) {
    const columns = varying(points, order);
    if (columns.length < 2) return nothing(body, t("study.twoNeeded"));
    const [x, y] = this.chosen(columns);
    const library = await plotly();
    if (signal.aborted) return;
    if (!body.querySelector(".contour-chart")) replace(body, el("div", { class: "toolbar" }), el("div", { class: "chart contour-chart", role: "img" }));
    const again = () => this.draw(body, id, points, order, signal);
    this.choices(/** @type {HTMLElement} */ (body.querySelector(".toolbar")), columns, again);
    const chart = /** @type {HTMLElement} */ (body.querySelector(".contour-chart"));
    await library.react(chart, traces(points, x, y), layout({
      hovermode: "closest", margin: { l: 60, r: 12, t: 8, b: 44 },
      xaxis: paramAxis(x.axis, { title: { text: chartText(shortName(x.axis.name, 40)), standoff: 6 } }), yaxis: paramAxis(y.axis, { title: { text: chartText(shortName(y.axis.name, 40)) } }),
      uirevision: `${x.axis.name}\n${y.axis.name}`,
    }), CONFIG);
    chart.setAttribute("aria-label", t("study.contourAbout", { x: x.axis.name, y: y.axis.name, objective: objectiveName(points.objective) }));
    openOnClick(chart, id);
  }

  /** @param {import("./points.js").Column[]} columns */
  chosen(columns) {
    const find = (/** @type {string | null} */ name) => columns.find((column) => column.axis.name === name);
    const x = find(this.names[0]) ?? columns.find((column) => column.axis.name !== this.names[1]) ?? columns[0];
    const y = find(this.names[1]) ?? columns.find((column) => column !== x) ?? columns[1];
    this.shown = [x.axis.name, y.axis.name];
    return [x, y];
  }

  /** @param {HTMLElement} place @param {import("./points.js").Column[]} columns @param {() => void} again */
  choices(place, columns, again) {
    const names = columns.map((column) => column.axis.name);
    const key = [...this.shown, ...names].join("\n");
    if (place.dataset.names === key) return;
    place.dataset.names = key;
    replace(place, [0, 1].map((at) => {
      const choose = () => {
        const [mine, other] = [this.shown[at], this.shown[1 - at]];
        this.names[at] = choice.value;
        this.names[1 - at] = other === choice.value ? mine : other;
        place.dataset.names = "";
        again();
      };
      const choice = el("select", { id: `contour-${at}`, onchange: choose }, names.map((name) => el("option", { value: name }, name)));
      choice.value = this.shown[at];
      return el("label", { class: "check" }, t(at === 0 ? "study.across" : "study.up"), choice);
    }));
  }
}

/** @param {import("./points.js").Points} points @param {import("./points.js").Column} x @param {import("./points.js").Column} y */
function traces(points, x, y) {
  const picked = points.number.map((_, idx) => idx).filter((idx) => x.values[idx] !== null && y.values[idx] !== null);
  const format = valueFormat(points.objective, points.value);
  const range = usualRange(points.value, points.objective.direction) ?? [-Infinity, Infinity];
  const inside = (/** @type {number} */ value) => Math.min(range[1], Math.max(range[0], value));
  const grid = surface(picked.map((idx) => [place(x, idx), place(y, idx), inside(points.value[idx])]), x.axis, y.axis);
  const good = points.objective.direction === "maximize";
  const text = (/** @type {import("./points.js").Column} */ column, /** @type {number} */ idx) => column.axis.categories ? chartText(column.axis.categories[column.values[idx] ?? -1] ?? "") : Number(column.values[idx]).toPrecision(4);
  return [
    { type: "contour", x: grid.x, y: grid.y, z: grid.z, colorscale: stops(), reversescale: !good, ncontours: 14, line: { width: 0.4 }, hoverinfo: "skip", connectgaps: false,
      colorbar: { thickness: 10, len: 1, outlinewidth: 0, tickformat: format.axis, nticks: 6, title: { text: chartText(objectiveName(points.objective)), side: "right" } } },
    { type: "scatter", mode: "markers", x: picked.map((idx) => x.values[idx]), y: picked.map((idx) => y.values[idx]), customdata: picked.map((idx) => points.number[idx]),
      marker: { size: 4, color: "rgb(213,94,0)", line: { width: 0.5, color: "white" }, opacity: 0.8 }, name: "",
      text: picked.map((idx) => `#${points.number[idx]}<br>${chartText(shortName(x.axis.name))}: ${text(x, idx)}<br>${chartText(shortName(y.axis.name))}: ${text(y, idx)}<br>${points.value[idx].toPrecision(5)}`), hovertemplate: "%{text}<extra></extra>" },
  ];
}

/** Where a trial stands on an axis, from 0 to 1. @param {import("./points.js").Column} column @param {number} idx */
function place({ axis, values }, idx) {
  const [low, high] = ends(axis, values);
  const at = axis.log ? Math.log(Number(values[idx])) : Number(values[idx]);
  return high > low ? (at - low) / (high - low) : 0.5;
}

/** @param {import("./points.js").Axis} axis @param {(number | null)[]} [values] */
function ends(axis, values = []) {
  if (axis.categories) return [-0.5, axis.categories.length - 0.5];
  const known = values.filter((value) => value !== null).map(Number);
  const [low, high] = [axis.low ?? Math.min(...known), axis.high ?? Math.max(...known)];
  return axis.log ? [Math.log(low), Math.log(high)] : [low, high];
}

/** @param {number[][]} known places from 0 to 1 with values @param {import("./points.js").Axis} x @param {import("./points.js").Axis} y */
function surface(known, x, y) {
  const lines = (/** @type {import("./points.js").Axis} */ axis) => {
    const [low, high] = ends(axis);
    const shares = Array.from({ length: GRID }, (_, idx) => idx / (GRID - 1));
    return { shares, at: shares.map((share) => (axis.log ? Math.exp(low + share * (high - low)) : low + share * (high - low))) };
  };
  const [across, up] = [lines(x), lines(y)];
  const z = up.shares.map((v) => across.shares.map((u) => mean(known, u, v)));
  return { x: across.at, y: up.at, z };
}

/** @param {number[][]} known @param {number} u @param {number} v */
function mean(known, u, v) {
  let [sum, weights] = [0, 0];
  for (const [x, y, value] of known) {
    const distance = ((x - u) ** 2 + (y - v) ** 2) / (2 * WIDTH * WIDTH);
    if (distance > 12) continue;
    const weight = Math.exp(-distance);
    sum += weight * value;
    weights += weight;
  }
  // Where no trial is near nothing is said.
  return weights > 1e-4 ? sum / weights : null;
}
