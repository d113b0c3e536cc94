/** Curves of trials over their epochs. */

import { get } from "../api.js";
import { wholeTicks } from "../curves.js";
import { t } from "../i18n.js";
import { CONFIG, axis, layout, plotly } from "../plot.js";
import { BEST, look } from "./colors.js";
import { chartIn, nothing, part, thinnedNote } from "./part.js";
import { studyPath } from "./path.js";
import { chartText, openOnClick } from "./points.js";
import { usualRange } from "./range.js";
import { objectiveName, valueFormat } from "./show.js";

const CURVES = 80;

/** @param {string} id @param {AbortSignal} signal */
export function intermediatePart(id, signal) {
  return part("intermediate", async (body) => {
    const data = await get(studyPath(id, "intermediate"), { query: { curves: CURVES }, signal });
    if (data.n === 0) return nothing(body, t("study.noIntermediate"));
    await draw(body, id, data, signal);
  }, signal);
}

/** @param {HTMLElement} body @param {string} id @param {any} data @param {AbortSignal} signal */
async function draw(body, id, data, signal) {
  const library = await plotly();
  if (signal.aborted) return;
  const chart = chartIn(body);
  const values = data.curves.flatMap((/** @type {any} */ curve) => curve.value);
  const format = valueFormat(data.objective, values);
  const kind = (/** @type {any} */ curve) => (curve.rank === 0 ? "best" : curve.state);
  const traces = ["complete", "pruned", "failed", "waiting", "running", "best"].map((name) => {
    const curves = data.curves.filter((/** @type {any} */ curve) => kind(curve) === name);
    return line(name, curves, format.hover);
  });
  const longest = Math.max(0, ...data.curves.map((/** @type {any} */ curve) => curve.step.at(-1) ?? 0));
  const range = usualRange(values, data.objective.direction);
  await library.react(chart, traces.filter((trace) => trace.x.length > 0), layout({
    hovermode: "closest", showlegend: true, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 },
    margin: { l: 52, r: 16, t: 36, b: 40 },
    xaxis: axis({ title: { text: t("curves.epoch"), standoff: 6 }, showgrid: false, tickformat: ",d", ...wholeTicks(longest) }),
    yaxis: axis({ title: { text: chartText(objectiveName(data.objective)) }, tickformat: format.axis, ...(range ? { range } : {}) }),
  }), CONFIG);
  chart.setAttribute("aria-label", t("study.intermediateAbout", { n: data.n }));
  openOnClick(chart, id);
  thinnedNote(body, data.curves.length, data.n);
}

/** Curves of one kind as one line with gaps. @param {string} name @param {any[]} curves @param {string} hover */
function line(name, curves, hover) {
  const x = curves.flatMap((curve) => [...curve.step, null]);
  const y = curves.flatMap((curve) => [...curve.value, null]);
  const customdata = curves.flatMap((curve) => [...curve.step.map(() => curve.number), null]);
  const best = name === "best";
  const color = best ? BEST : look(name).color;
  const lonely = curves.every((curve) => curve.step.length < 2);
  return {
    x, y, customdata, name: t(best ? "study.best" : `trialState.${name}`), type: "scatter", mode: lonely ? "markers" : "lines+markers",
    line: { color, width: best ? 3 : 1.2 }, marker: { color, size: best ? 5 : 3 }, opacity: best || name === "running" ? 1 : 0.55, connectgaps: false,
    hovertemplate: `#%{customdata} · ${t("curves.epoch")} %{x}: %{y:${hover}}<extra></extra>`,
  };
}
