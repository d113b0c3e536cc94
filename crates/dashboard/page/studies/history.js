/** The value of each trial in their order, and the best so far. */

import { get } from "../api.js";
import { t } from "../i18n.js";
import { CONFIG, axis, layout, plotly } from "../plot.js";
import { BEST, look } from "./colors.js";
import { chartIn, nothing, part, thinnedNote } from "./part.js";
import { studyPath } from "./path.js";
import { chartText, openOnClick } from "./points.js";
import { usualRange } from "./range.js";
import { objectiveName, valueFormat } from "./show.js";

const POINTS = 1000;

/** @param {string} id @param {() => number} objective @param {AbortSignal} signal */
export function historyPart(id, objective, signal) {
  return part("history", async (body) => {
    const data = await get(studyPath(id, "history"), { query: { objective: objective(), points: POINTS }, signal });
    if (data.n === 0) return nothing(body, t("study.nothingYet"));
    await draw(body, id, data, signal);
  }, signal);
}

/** @param {HTMLElement} body @param {string} id @param {any} data @param {AbortSignal} signal */
async function draw(body, id, data, signal) {
  const library = await plotly();
  if (signal.aborted) return;
  const chart = chartIn(body);
  const format = valueFormat(data.objective, data.value);
  const kind = (/** @type {number} */ idx) => (data.state[idx] === "complete" && !data.feasible[idx] ? "infeasible" : data.state[idx]);
  const kinds = ["complete", "infeasible", "pruned", "failed"];
  const all = data.number.map((/** @type {number} */ _, /** @type {number} */ idx) => idx);
  const traces = kinds.map((name) => group(name, all.filter((/** @type {number} */ idx) => kind(idx) === name), data, format.hover));
  traces.push(bestLine(data, format.hover));
  const range = usualRange(data.value, data.objective.direction);
  await library.react(chart, traces.filter((trace) => trace.x.length > 0), layout({
    hovermode: "closest", showlegend: true, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
    margin: { l: 52, r: 16, t: 36, b: 40 },
    xaxis: axis({ title: { text: t("study.trial"), standoff: 6 }, showgrid: false, tickformat: ",d", range: [-0.5 - (data.last ?? 0) * 0.01, (data.last ?? 0) * 1.01 + 0.5] }),
    yaxis: axis({ title: { text: chartText(objectiveName(data.objective)) }, tickformat: format.axis, ...(range ? { range } : {}) }),
    // What failed has no value: it stands along the bottom.
    yaxis2: { overlaying: "y", range: [0, 1], visible: false, fixedrange: true },
    uirevision: `${data.objective.name}`,
  }), CONFIG);
  chart.dataset.trials = String(data.n);
  chart.setAttribute("aria-label", t("study.historyAbout", { n: data.n, best: data.best_value.at(-1) ?? "–" }));
  openOnClick(chart, id);
  thinnedNote(body, data.number.length, data.n);
}

/** @param {string} name @param {number[]} picked @param {any} data @param {string} hover */
function group(name, picked, data, hover) {
  const { color, symbol } = look(name);
  const failed = name === "failed";
  return {
    x: picked.map((idx) => data.number[idx]), y: picked.map((idx) => (failed ? 0.02 : data.value[idx])), customdata: picked.map((idx) => data.number[idx]),
    name: t(`trialState.${name}`), mode: "markers", type: "scatter", yaxis: failed ? "y2" : "y",
    marker: { color, symbol, size: 6, opacity: name === "complete" ? 0.65 : 0.8 },
    hovertemplate: failed ? `#%{x}<extra>${t("trialState.failed")}</extra>` : `#%{x}: %{y:${hover}}<extra>${t(`trialState.${name}`)}</extra>`,
  };
}

/** Steps that go on to the last trial. @param {any} data @param {string} hover */
function bestLine(data, hover) {
  const on = data.best_number.length > 0;
  return {
    x: on ? [...data.best_number, data.last] : [], y: on ? [...data.best_value, data.best_value.at(-1)] : [],
    customdata: on ? [...data.best_number, data.best_number.at(-1)] : [],
    name: t("study.best"), mode: "lines", type: "scatter", line: { shape: "hv", color: BEST, width: 2 }, hovertemplate: `#%{customdata}: %{y:${hover}}<extra>${t("study.best")}</extra>`,
  };
}
