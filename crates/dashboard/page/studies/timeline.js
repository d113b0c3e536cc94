/** Which trial ran when, a lane for each worker. */

import { get } from "../api.js";
import { duration } from "../format.js";
import { t } from "../i18n.js";
import { CONFIG, axis, layout, plotly } from "../plot.js";
import { STATES, look } from "./colors.js";
import { chartIn, nothing, part, thinnedNote } from "./part.js";
import { studyPath } from "./path.js";
import { chartText, openOnClick, shortName } from "./points.js";

const TRIALS = 600;

/** @param {string} id @param {AbortSignal} signal */
export function timelinePart(id, signal) {
  return part("timeline", async (body) => {
    const data = await get(studyPath(id, "timeline"), { query: { trials: TRIALS }, signal });
    if (data.number.length === 0) return nothing(body, t("study.nothingYet"));
    await draw(body, id, data, signal);
  }, signal);
}

/** @param {HTMLElement} body @param {string} id @param {any} data @param {AbortSignal} signal */
async function draw(body, id, data, signal) {
  const library = await plotly();
  if (signal.aborted) return;
  const chart = chartIn(body, "timeline-chart");
  chart.style.height = `${Math.min(560, 96 + data.lanes.length * 30)}px`;
  const all = data.number.map((/** @type {number} */ _, /** @type {number} */ idx) => idx);
  const end = (/** @type {number} */ idx) => data.end_ms[idx] ?? (data.state[idx] === "running" ? data.now_ms : data.start_ms[idx]);
  const traces = STATES.map((state) => {
    const picked = all.filter((/** @type {number} */ idx) => data.state[idx] === state);
    return {
      type: "bar", orientation: "h", name: t(`trialState.${state}`), width: 0.7, marker: { color: look(state).color, line: { width: all.length > 150 ? 0 : 0.5, color: "rgba(255,255,255,.5)" } },
      base: picked.map((/** @type {number} */ idx) => data.start_ms[idx]), x: picked.map((/** @type {number} */ idx) => Math.max(1, end(idx) - data.start_ms[idx])),
      y: picked.map((/** @type {number} */ idx) => data.lane[idx]), customdata: picked.map((/** @type {number} */ idx) => data.number[idx]),
      text: picked.map((/** @type {number} */ idx) => duration((end(idx) - data.start_ms[idx]) / 1000)), textposition: "none",
      hovertemplate: `#%{customdata} · %{text}<extra>${t(`trialState.${state}`)}</extra>`,
    };
  });
  const names = data.lanes.map((/** @type {string} */ name) => chartText(shortName(name || t("study.someWorker"), 18)));
  await library.react(chart, traces.filter((trace) => trace.x.length > 0), layout({
    barmode: "overlay", hovermode: "closest", showlegend: true, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 }, margin: { l: 60, r: 16, t: 36, b: 32 },
    xaxis: axis({ type: "date", showgrid: true }),
    yaxis: axis({ tickvals: names.map((/** @type {string} */ _, /** @type {number} */ idx) => idx), ticktext: names, range: [names.length - 0.4, -0.6], fixedrange: true, showgrid: false }),
  }), CONFIG);
  chart.dataset.bars = String(data.number.length);
  chart.setAttribute("aria-label", t("study.timelineAbout", { n: data.n, workers: data.lanes.length }));
  openOnClick(chart, id);
  thinnedNote(body, data.number.length, data.n);
}
