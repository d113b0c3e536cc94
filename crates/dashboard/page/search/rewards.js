/** Each child's value, and the mean of the best 1, 5 and 15 different networks so far, as in the paper's figure. */

import { get } from "../api.js";
import { wholeTicks } from "../curves.js";
import { el } from "../dom.js";
import { t } from "../i18n.js";
import { CONFIG, axis, layout, plotly } from "../plot.js";
import { isDark } from "../theme.js";
import { BEST, look } from "../studies/colors.js";
import { nothing, part, thinnedNote } from "../studies/part.js";
import { studyPath } from "../studies/path.js";
import { chartText } from "../studies/points.js";
import { usualRange } from "../studies/range.js";
import { objectiveName, valueFormat } from "../studies/show.js";
import { showOnHover } from "./child.js";

const POINTS = 1000;
const KINDS = ["complete", "duplicate", "pruned", "infeasible"];

/** @param {string} id @param {import("./child.js").Networks} networks @param {import("./child.js").ChildCard} card @param {AbortSignal} signal */
export function rewardsPart(id, networks, card, signal) {
  /** @type {{by: "number" | "time", data: any}} */
  const state = { by: "number", data: null };
  const again = () => state.data && whole.reload();
  const choice = el("select", { id: "rewards-by", data: { test: "rewards-by" }, onchange: () => {
    state.by = choice.value;
    again();
  } }, ["number", "time"].map((by) => el("option", { value: by }, t(`search.by.${by}`))));
  const tools = el("div", { class: "toolbar" }, el("label", { class: "check" }, t("study.across"), choice));
  const whole = part("rewards", async (body) => {
    state.data = await get(studyPath(id, "rewards"), { query: { points: POINTS }, signal });
    if (state.data.n === 0) return nothing(body, t("study.nothingYet"));
    await draw(body, state, networks, card, signal);
  }, signal, tools, t("search.rewards"));
  return whole;
}

/** @param {HTMLElement} body @param {{by: "number" | "time", data: any}} state @param {import("./child.js").Networks} networks @param {import("./child.js").ChildCard} card @param {AbortSignal} signal */
async function draw(body, state, networks, card, signal) {
  const library = await plotly();
  if (signal.aborted) return;
  if (!body.querySelector(".chart")) body.replaceChildren(el("div", { class: "chart rewards-chart", role: "img" }), card.node);
  const chart = /** @type {HTMLElement} */ (body.querySelector(".chart"));
  const { data, by } = state;
  const time = timeUnit(data.last_seconds);
  const across = by === "time" ? data.seconds.map((/** @type {number} */ s) => s / time.seconds) : data.number;
  const format = valueFormat(data.objective, data.value);
  const range = usualRange(data.value, data.objective.direction);
  const last = by === "time" ? data.last_seconds / time.seconds : data.last ?? 0;
  const traces = [...KINDS.map((kind) => dots(kind, data, across, format.hover)), ...data.tops.map((/** @type {any} */ top, /** @type {number} */ idx) => curve(top, idx, by, time.seconds, last, format.hover))];
  await library.react(chart, traces.filter((trace) => trace.x.length > 0), layout({
    hovermode: "closest", showlegend: true, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 }, margin: { l: 56, r: 16, t: 36, b: 40 },
    xaxis: axis({ title: { text: by === "time" ? t(`search.time.${time.name}`) : t("search.childrenAxis"), standoff: 6 }, showgrid: false, tickformat: by === "time" ? "~g" : ",d", ...(by === "time" ? {} : wholeTicks(last)), range: [-0.015 * last - (by === "time" ? 0 : 0.5), last * 1.015 + (by === "time" ? 0 : 0.5)] }),
    yaxis: axis({ title: { text: chartText(objectiveName(data.objective)) }, tickformat: format.axis, ...(range ? { range } : {}) }),
    uirevision: by,
  }), CONFIG);
  Object.assign(chart.dataset, { children: String(data.n), by });
  chart.setAttribute("aria-label", t("search.rewardsAbout", { n: data.n, unique: data.n_unique }));
  showOnHover(chart, networks, card, (number) => childOf(state.data, number));
  if (data.best !== null && card.isBest) card.show(childOf(data, data.best, t("search.bestSoFar")), true);
  thinnedNote(body, data.number.length, data.n);
}

/** @param {any} data @param {number} number @param {string} [note] */
function childOf(data, number, note) {
  const at = data.number.indexOf(number);
  return { number, value: at < 0 ? null : data.value[at], note };
}

/** @param {string} kind @param {any} data @param {number[]} across @param {string} hover */
function dots(kind, data, across, hover) {
  const picked = data.number.map((/** @type {number} */ _, /** @type {number} */ idx) => idx).filter((/** @type {number} */ idx) => data.kind[idx] === kind);
  const { color, symbol } = kind === "duplicate" ? { color: look("complete").color, symbol: "circle-open" } : look(kind);
  return {
    x: picked.map((/** @type {number} */ idx) => across[idx]), y: picked.map((/** @type {number} */ idx) => data.value[idx]), customdata: picked.map((/** @type {number} */ idx) => data.number[idx]),
    name: t(`search.kind.${kind}`), type: "scatter", mode: "markers", marker: { color, symbol, size: 6, opacity: 0.6 }, hovertemplate: `#%{customdata}: %{y:${hover}}<extra>${t(`search.kind.${kind}`)}</extra>`,
  };
}

/** A mean that goes on to the last child. @param {any} top @param {number} idx @param {"number" | "time"} by @param {number} unit @param {number} last @param {string} hover */
function curve(top, idx, by, unit, last, hover) {
  const of = by === "time" ? top.by_time : top.by_number;
  const x = by === "time" ? of.x.map((/** @type {number} */ s) => s / unit) : of.x;
  const on = x.length > 0;
  const name = t(top.k === 1 ? "study.best" : "search.top", { k: top.k });
  const colors = [BEST, isDark() ? "rgb(0,200,150)" : "rgb(0,158,115)", "rgb(204,121,167)"];
  return {
    x: on ? [...x, Math.max(last, x.at(-1))] : [], y: on ? [...of.value, of.value.at(-1)] : [], name, type: "scatter", mode: "lines",
    line: { shape: "hv", color: colors[idx], width: 2.5, dash: ["solid", "dash", "dot"][idx] }, hovertemplate: `%{y:${hover}}<extra>${name}</extra>`,
  };
}

/** In which so many seconds are told. @param {number} seconds */
export function timeUnit(seconds) {
  if (seconds < 180) return { name: "seconds", seconds: 1 };
  return seconds < 3 * 3600 ? { name: "minutes", seconds: 60 } : { name: "hours", seconds: 3600 };
}
