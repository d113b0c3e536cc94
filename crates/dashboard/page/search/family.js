/** Which child came from which, and what was changed; the best one's line stands out. */

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

const POINTS = 600;
/** Samplers whose children have parents. */
export const HAS_PARENTS = ["evolution", "local_search"];

/** @param {string} id @param {import("./child.js").Networks} networks @param {import("./child.js").ChildCard} card @param {AbortSignal} signal */
export function familyPart(id, networks, card, signal) {
  /** @type {{data: any}} */
  const state = { data: null };
  return part("family", async (body) => {
    state.data = await get(studyPath(id, "family"), { query: { points: POINTS }, signal });
    if (state.data.n_with_parent === 0) return nothing(body, t("search.noParents"));
    await draw(body, state, networks, card, signal);
  }, signal, undefined, t("search.family"));
}

/** @param {HTMLElement} body @param {{data: any}} state @param {import("./child.js").Networks} networks @param {import("./child.js").ChildCard} card @param {AbortSignal} signal */
async function draw(body, state, networks, card, signal) {
  const library = await plotly();
  if (signal.aborted) return;
  if (!body.querySelector(".chart")) body.replaceChildren(el("div", { class: "chart family-chart", role: "img" }), card.node);
  const chart = /** @type {HTMLElement} */ (body.querySelector(".chart"));
  const { data } = state;
  const format = valueFormat(data.objective, data.value);
  const inLine = new Set(data.line);
  const all = data.number.map((/** @type {number} */ _, /** @type {number} */ idx) => idx);
  const others = all.filter((/** @type {number} */ idx) => !inLine.has(data.number[idx]));
  const line = all.filter((/** @type {number} */ idx) => inLine.has(data.number[idx]));
  const range = usualRange(data.value, data.objective.direction);
  const faint = isDark() ? "rgba(163,171,180,.28)" : "rgba(91,99,109,.25)";
  await library.react(chart, [
    { ...links(data, others), line: { color: faint, width: 1 } },
    dots(data, others, { color: look("complete").color, size: 5, opacity: 0.6 }, "search.kind.complete", format.hover),
    { ...links(data, line), line: { color: BEST, width: 2 } },
    dots(data, line, { color: BEST, size: 8 }, "search.line", format.hover),
  ], layout({
    hovermode: "closest", showlegend: true, legend: { orientation: "h", y: 1.02, yanchor: "bottom", x: 0 }, margin: { l: 56, r: 16, t: 36, b: 40 },
    xaxis: axis({ title: { text: t("search.childrenAxis"), standoff: 6 }, showgrid: false, tickformat: ",d", ...wholeTicks(data.number.at(-1) ?? 0) }),
    yaxis: axis({ title: { text: chartText(objectiveName(data.objective)) }, tickformat: format.axis, ...(range ? { range } : {}) }),
  }), CONFIG);
  Object.assign(chart.dataset, { children: String(data.n), line: String(data.line.length) });
  chart.setAttribute("aria-label", t("search.familyAbout", { n: data.n, best: data.line[0] ?? "–", line: data.line.length }));
  showOnHover(chart, networks, card, (number) => childOf(state.data, number));
  if (card.isBest && data.line.length > 0) card.show(childOf(data, data.line[0]), true);
  thinnedNote(body, data.number.length, data.n);
}

/** @param {any} data @param {number} number @returns {import("./child.js").Shown} */
function childOf(data, number) {
  const at = data.number.indexOf(number);
  if (at < 0) return { number, value: null };
  const parent = data.parent[at];
  const changes = data.changed[at].join(", ") || t("search.unchanged");
  return { number, value: data.value[at], note: parent === null ? t("search.noParent") : t("search.from", { parent, changes }) };
}

/** Lines to the parents as one line with gaps. @param {any} data @param {number[]} picked */
function links(data, picked) {
  const known = picked.filter((idx) => data.parent_value[idx] !== null);
  return {
    x: known.flatMap((idx) => [data.parent[idx], data.number[idx], null]), y: known.flatMap((idx) => [data.parent_value[idx], data.value[idx], null]),
    type: "scatter", mode: "lines", hoverinfo: "skip", showlegend: false,
  };
}

/** @param {any} data @param {number[]} picked @param {any} marker @param {string} name @param {string} hover */
function dots(data, picked, marker, name, hover) {
  const words = (/** @type {number} */ idx) => [
    data.parent[idx] === null ? t("search.noParent") : t("search.child", { n: data.parent[idx] }) + " →", ...data.changed[idx],
  ].map(chartText).join("<br>");
  return {
    x: picked.map((idx) => data.number[idx]), y: picked.map((idx) => data.value[idx]), customdata: picked.map((idx) => data.number[idx]), text: picked.map(words),
    type: "scatter", mode: "markers", marker, name: t(name), hovertemplate: `#%{customdata}: %{y:${hover}}<br>%{text}<extra></extra>`,
  };
}
