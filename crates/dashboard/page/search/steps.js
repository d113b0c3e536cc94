/** How a search learns: the entropy of its decisions, rewards and baseline, different networks; one fetch serves the three. */

import { get } from "../api.js";
import { wholeTicks } from "../curves.js";
import { t } from "../i18n.js";
import { CONFIG, RUN_COLORS, axis, layout, plotly } from "../plot.js";
import { isDark } from "../theme.js";
import { look } from "../studies/colors.js";
import { chartIn, nothing, part } from "../studies/part.js";
import { studyPath } from "../studies/path.js";
import { chartText } from "../studies/points.js";
import { objectiveName, valueFormat } from "../studies/show.js";
import { kindName } from "./names.js";

const POINTS = 300;
const DASHES = ["solid", "dash", "dot", "dashdot", "longdash"];

/** @param {string} id @param {any} objective @param {AbortSignal} signal */
export function stepParts(id, objective, signal) {
  /** @type {Promise<any> | null} */
  let asked = null;
  const fetched = () => {
    asked ??= get(studyPath(id, "steps"), { query: { points: POINTS }, signal }).catch((error) => {
      asked = null;
      throw error;
    });
    return asked;
  };
  const chart = (/** @type {string} */ name, /** @type {(data: any) => {traces: any[], own: any}} */ of) => part(name, async (body) => {
    const data = await fetched();
    if (data.n === 0) return nothing(body, t("study.nothingYet"));
    await draw(body, name, data, of(data), signal);
  }, signal, undefined, t(`search.${name}`));
  const parts = [chart("entropy", entropy), chart("quantiles", (data) => quantiles(data, objective)), chart("unique", unique)];
  return { parts, forget: () => (asked = null) };
}

/** @param {HTMLElement} body @param {string} name @param {any} data @param {{traces: any[], own: any}} drawn @param {AbortSignal} signal */
async function draw(body, name, data, { traces, own }, signal) {
  const library = await plotly();
  if (signal.aborted) return;
  const chart = chartIn(body, "step-chart");
  const last = data.children.at(-1) ?? 0;
  await library.react(chart, traces.filter((trace) => trace.y.some((/** @type {number | null} */ value) => value !== null)), layout({
    showlegend: true, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 }, margin: { l: 52, r: 12, t: 36, b: 40 },
    xaxis: axis({ title: { text: t("search.childrenAxis"), standoff: 6 }, showgrid: false, tickformat: ",d", ...wholeTicks(last), range: [0, Math.max(1, last)], hoverformat: ",d" }), ...own,
  }), CONFIG);
  chart.dataset.steps = String(data.n);
  chart.setAttribute("aria-label", t(`search.${name}About`, { n: data.n }));
  const note = body.querySelector(":scope > .note") ?? body.appendChild(Object.assign(document.createElement("p"), { className: "muted small note" }));
  note.textContent = data.source === "log" ? t("search.fromLog", { n: data.n }) : t("search.fromWindows", { n: data.window });
}

/** @param {any} data */
function entropy(data) {
  const most = Math.max(0, ...data.entropy.map((/** @type {any} */ one) => one.most ?? 0), ...data.entropy.flatMap((/** @type {any} */ one) => one.value.map(Number)));
  const traces = data.entropy.map((/** @type {any} */ one, /** @type {number} */ idx) => {
    const share = one.most ? one.value.map((/** @type {number | null} */ value) => (value === null ? "" : ` (${Math.round((100 * value) / one.most)} %)`)) : one.value.map(() => "");
    const color = RUN_COLORS[idx % RUN_COLORS.length];
    return { x: data.children, y: one.value, text: share, name: chartText(kindName(one.kind)), type: "scatter", mode: mode(data), line: { color: isDark() && idx % RUN_COLORS.length === 0 ? "rgb(240,228,66)" : color, width: 2, dash: DASHES[Math.floor(idx / RUN_COLORS.length) % DASHES.length] }, hovertemplate: "%{y:.3f}%{text}" };
  });
  return { traces, own: { yaxis: axis({ title: { text: t("search.nats") }, range: [0, most * 1.06 || 1] }) } };
}

/** @param {any} data @param {any} objective */
function quantiles(data, objective) {
  const [least, low, middle, high, most] = data.rewards;
  const format = data.source === "log" ? { axis: "", hover: ".4~f" } : valueFormat(objective, middle);
  const { color } = look("complete");
  const line = (/** @type {any} */ y, /** @type {string} */ name, /** @type {any} */ own) => ({ x: data.children, y, name: t(`search.quantile.${name}`), type: "scatter", mode: "lines", connectgaps: true, hovertemplate: `%{y:${format.hover}}`, ...own });
  const band = color.replace("rgb", "rgba").replace(")", ",0.22)");
  const traces = [
    line(most, "most", { line: { color, width: 1, dash: "dot" }, showlegend: false }),
    line(high, "high", { line: { color, width: 0 }, showlegend: false }),
    line(low, "low", { line: { color, width: 0 }, fill: "tonexty", fillcolor: band, name: t("search.quantile.half"), hoverinfo: "y" }),
    line(middle, "middle", { line: { color, width: 2.5 }, mode: mode(data) }),
    line(least, "least", { line: { color, width: 1, dash: "dot" }, showlegend: false }),
    line(data.baseline, "baseline", { line: { color: "rgb(213,94,0)", width: 2, dash: "dash" } }),
  ];
  // A logged reward is the larger the better, whatever the objective.
  const minimizes = data.source !== "log" && objective.direction === "minimize";
  const range = minimizes ? usual(least, high) : usual([...low, ...data.baseline], most);
  return { traces, own: { yaxis: axis({ ...range, title: { text: data.source === "log" ? t("search.reward") : chartText(objectiveName(objective)) }, tickformat: format.axis }) } };
}

/** From the worst step's quartile to the best of all: single failures would squeeze the rest. @param {(number | null)[]} low @param {(number | null)[]} high */
function usual(low, high) {
  const known = (/** @type {(number | null)[]} */ values) => values.filter((value) => value !== null).map(Number);
  const [least, most] = [Math.min(...known(low)), Math.max(...known(high))];
  if (!(most > least)) return {};
  const pad = 0.08 * (most - least);
  return { range: [least - pad, most + pad] };
}

/** @param {any} data */
function unique(data) {
  const all = { x: data.children, y: data.children, name: t("search.children"), type: "scatter", mode: "lines", line: { color: "rgb(128,128,128)", width: 1, dash: "dot" }, hovertemplate: "%{y:,d}" };
  const different = { x: data.children, y: data.n_unique, name: t("search.networks"), type: "scatter", mode: mode(data), line: { color: look("complete").color, width: 2.5 }, hovertemplate: "%{y:,d}" };
  let sum = 0;
  const refused = data.n_refused.map((/** @type {number} */ n) => (sum += n));
  const traces = [all, different, ...(sum > 0 ? [{ x: data.children, y: refused, name: t("search.refused"), type: "scatter", mode: "lines", line: { color: look("pruned").color, width: 2, dash: "dash" }, hovertemplate: "%{y:,d}" }] : [])];
  return { traces, own: { yaxis: axis({ tickformat: "~s", rangemode: "tozero", ...wholeTicks(data.children.at(-1) ?? 0) }) } };
}

/** A single step is a dot. @param {any} data */
function mode(data) {
  return data.children.length < 3 ? "lines+markers" : "lines";
}
