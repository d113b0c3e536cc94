/** A small scatter for each parameter. */

import { t } from "../i18n.js";
import { CONFIG, axis, layout, plotly } from "../plot.js";
import { stops } from "./colors.js";
import { chartIn, nothing } from "./part.js";
import { chartText, openOnClick, paramAxis, shortName, varying } from "./points.js";
import { usualRange } from "./range.js";
import { objectiveName, valueFormat } from "./show.js";

const MOST = 12;
/** Points of a small chart: twelve times as many are drawn. */
const POINTS = 200;

/** @param {HTMLElement} body @param {string} id @param {import("./points.js").Points} points @param {string[]} order @param {AbortSignal} signal */
export async function drawSlices(body, id, points, order, signal) {
  const columns = varying(points, order).slice(0, MOST);
  if (columns.length === 0) return nothing(body, t("study.nothingVaries"));
  const library = await plotly();
  if (signal.aborted) return;
  const chart = chartIn(body, "slices-chart");
  const across = Math.max(1, Math.min(columns.length, Math.floor(chart.clientWidth / (chart.clientWidth < 500 ? 130 : 250))));
  const down = Math.ceil(columns.length / across);
  chart.style.height = `${down * 215 + 20}px`;
  const step = Math.max(1, Math.ceil(points.number.length / POINTS));
  const picked = points.number.map((_, idx) => idx).filter((idx) => idx % step === 0 || idx === points.number.length - 1);
  const format = valueFormat(points.objective, points.value);
  const range = usualRange(points.value, points.objective.direction);
  /** @type {Record<string, any>} */
  const axes = {};
  const traces = columns.map(({ axis: of, values }, at) => {
    const name = at === 0 ? "" : String(at + 1);
    const [col, row] = [at % across, Math.floor(at / across)];
    axes[`xaxis${name}`] = paramAxis(of, { anchor: `y${name}`, domain: room(col, across, across > 2 ? 0.055 : 0.14), title: { text: chartText(shortName(of.name)), standoff: 4, font: { size: 11 } }, tickfont: { size: 10 } });
    axes[`yaxis${name}`] = axis({ anchor: `x${name}`, domain: room(down - 1 - row, down, down > 1 ? 0.09 * 3 / down : 0), tickformat: format.axis, nticks: 4, tickfont: { size: 10 }, showticklabels: col === 0, ...(at > 0 ? { matches: "y" } : {}), ...(range ? { range } : {}) });
    return {
      x: picked.map((idx) => values[idx]), y: picked.map((idx) => points.value[idx]), customdata: picked.map((idx) => points.number[idx]),
      xaxis: `x${name}`, yaxis: `y${name}`, type: "scatter", mode: "markers", name: of.name,
      marker: { size: 5, color: picked.map((idx) => points.number[idx]), colorscale: stops(), opacity: 0.85, line: { width: 0.5, color: "rgba(128,128,128,.5)" } },
      hovertemplate: `#%{customdata}: %{y:${format.hover}}<br>${of.categories ? "%{text}" : "%{x:.4~g}"}<extra>${chartText(shortName(of.name))}</extra>`,
      text: of.categories ? picked.map((idx) => chartText(of.categories?.[values[idx] ?? -1] ?? "")) : undefined,
    };
  });
  await library.react(chart, traces, layout({ hovermode: "closest", margin: { l: 56, r: 12, t: 8, b: 36 }, ...axes, uirevision: columns.map((column) => column.axis.name).join() }), CONFIG);
  chart.setAttribute("aria-label", t("study.slicesAbout", { n: columns.length, objective: objectiveName(points.objective) }));
  chart.dataset.slices = String(columns.length);
  openOnClick(chart, id);
}

/** The part of the width or height that the n-th of some charts has. @param {number} at @param {number} n @param {number} gap */
function room(at, n, gap) {
  const width = (1 - gap * (n - 1)) / n;
  const start = at * (width + gap);
  return [Math.max(0, start), Math.min(1, start + width)];
}
