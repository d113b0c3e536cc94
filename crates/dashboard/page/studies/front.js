/** Trials of a study with several objectives, and those that nothing beats. */

import { get } from "../api.js";
import { el, replace } from "../dom.js";
import { t } from "../i18n.js";
import { CONFIG, axis, layout, plotly } from "../plot.js";
import { BEST, look } from "./colors.js";
import { nothing, part, thinnedNote } from "./part.js";
import { studyPath } from "./path.js";
import { chartText, openOnClick } from "./points.js";
import { objectiveName, valueFormat } from "./show.js";

const POINTS = 1000;

/**
 * @typedef {object} Source what the points are, where they are no study's objectives
 * @property {string} name of the part
 * @property {string} title
 * @property {string} path
 * @property {Record<string, any>} [query]
 * @property {(chart: any) => void} [onChart] in place of opening trials
 */

/** @param {string} id @param {AbortSignal} signal @param {Source} [source] */
export function frontPart(id, signal, source = { name: "front", title: t("study.front"), path: "front" }) {
  const chosen = [0, 1];
  return part(source.name, async (body) => {
    const data = await get(studyPath(id, source.path), { query: { points: POINTS, ...source.query }, signal });
    if (data.n === 0) return nothing(body, t("study.nothingYet"));
    await draw(body, id, data, chosen, signal, source.onChart);
  }, signal, undefined, source.title);
}

/** @param {HTMLElement} body @param {string} id @param {any} data @param {number[]} chosen @param {AbortSignal} signal @param {(chart: any) => void} [onChart] */
async function draw(body, id, data, chosen, signal, onChart = (chart) => openOnClick(chart, id)) {
  const library = await plotly();
  if (signal.aborted) return;
  if (!body.querySelector(".chart")) replace(body, el("div", { class: "toolbar" }), el("div", { class: "chart", role: "img" }));
  const tools = /** @type {HTMLElement} */ (body.querySelector(".toolbar"));
  tools.hidden = data.objectives.length < 3;
  replace(tools, [0, 1].map((at) => {
    const choice = el("select", { onchange: () => {
      chosen[at] = Number(choice.value);
      draw(body, id, data, chosen, signal, onChart);
    } }, data.objectives.map((/** @type {any} */ one, /** @type {number} */ idx) => el("option", { value: idx }, objectiveName(one))));
    choice.value = String(chosen[at]);
    return el("label", { class: "check" }, t(at === 0 ? "study.across" : "study.up"), choice);
  }));
  const chart = /** @type {HTMLElement} */ (body.querySelector(".chart"));
  const [x, y] = chosen;
  const [xs, ys] = [valueFormat(data.objectives[x], data.values[x]), valueFormat(data.objectives[y], data.values[y])];
  const group = (/** @type {string} */ name, /** @type {(idx: number) => boolean} */ has, /** @type {any} */ marker) => {
    const picked = data.number.map((/** @type {number} */ _, /** @type {number} */ idx) => idx).filter(has);
    return { x: picked.map((/** @type {number} */ idx) => data.values[x][idx]), y: picked.map((/** @type {number} */ idx) => data.values[y][idx]), customdata: picked.map((/** @type {number} */ idx) => data.number[idx]),
      name: t(name), type: "scatter", mode: "markers", marker, hovertemplate: `#%{customdata}<br>%{x:${xs.hover}}<br>%{y:${ys.hover}}<extra>${t(name)}</extra>` };
  };
  const groups = [
    group("study.infeasible", (idx) => !data.feasible[idx], { color: look("infeasible").color, symbol: "x-thin-open", size: 7 }),
    group("study.beaten", (idx) => data.feasible[idx] && !data.on_front[idx], { color: look("complete").color, size: 6, opacity: 0.45 }),
    group("study.onFront", (idx) => data.on_front[idx], { color: BEST, size: 9, symbol: "diamond" }),
  ];
  await library.react(chart, groups.filter((trace) => trace.x.length > 0), layout({
    hovermode: "closest", showlegend: true, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 }, margin: { l: 60, r: 16, t: 36, b: 44 },
    xaxis: axis({ title: { text: label(data.objectives[x]), standoff: 6 }, tickformat: xs.axis }),
    yaxis: axis({ title: { text: label(data.objectives[y]) }, tickformat: ys.axis }), uirevision: `${x}/${y}`,
  }), CONFIG);
  chart.dataset.front = String(data.n_front);
  chart.setAttribute("aria-label", t("study.frontAbout", { n: data.n_front, total: data.n }));
  onChart(chart);
  thinnedNote(body, data.number.length, data.n);
}

/** @param {import("./show.js").Objective} objective */
function label(objective) {
  return `${chartText(objectiveName(objective))} ${objective.direction === "maximize" ? "↑" : "↓"}`;
}
