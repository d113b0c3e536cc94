/** How often each choice was made over time: for each kind of decision a small chart of stacked areas. */

import { get } from "../api.js";
import { wholeTicks } from "../curves.js";
import { el } from "../dom.js";
import { t } from "../i18n.js";
import { CONFIG, axis, layout, plotly } from "../plot.js";
import { isDark } from "../theme.js";
import { shade } from "../studies/colors.js";
import { chartIn, nothing, part } from "../studies/part.js";
import { studyPath } from "../studies/path.js";
import { chartText, shortName } from "../studies/points.js";
import { choiceName, kindName } from "./names.js";

const POINTS = 80;
/** Pixels of a small chart. */
const HIGH = 190;
/** Choices that stand beside the name. */
const MOST_CHIPS = 6;

/** @param {string} id @param {AbortSignal} signal */
export function decisionsPart(id, signal) {
  let layer = "";
  const choice = el("select", { id: "decisions-layer", data: { test: "decisions-layer" }, onchange: () => {
    layer = choice.value;
    whole.reload();
  } }, el("option", { value: "" }, t("search.allLayers")));
  const tools = el("div", { class: "toolbar" }, el("label", { class: "check" }, t("search.layer"), choice));
  const whole = part("decisions", async (body) => {
    const data = await get(studyPath(id, "decisions"), { query: { points: POINTS, layer }, signal });
    offer(choice, data.n_layers);
    if (data.kinds.length === 0) return nothing(body, t("study.nothingYet"));
    await draw(body, data, signal);
  }, signal, tools, t("search.decisions"));
  return whole;
}

/** Layers that there are. @param {HTMLSelectElement} choice @param {number} n */
function offer(choice, n) {
  for (let at = choice.options.length - 1; at < n; at += 1) choice.append(el("option", { value: at }, t("search.layerOf", { n: at + 1 })));
}

/** @param {HTMLElement} body @param {any} data @param {AbortSignal} signal */
async function draw(body, data, signal) {
  const library = await plotly();
  if (signal.aborted) return;
  const chart = chartIn(body, "decisions-chart");
  const { kinds } = data;
  const across = Math.max(1, Math.min(kinds.length, Math.floor(chart.clientWidth / 300)));
  const down = Math.ceil(kinds.length / across);
  chart.style.height = `${down * HIGH + 24}px`;
  /** @type {Record<string, any>} */
  const axes = {};
  /** @type {any[]} */
  const notes = [];
  const traces = kinds.flatMap((/** @type {any} */ kind, /** @type {number} */ at) => {
    const name = at === 0 ? "" : String(at + 1);
    const [col, row] = [at % across, Math.floor(at / across)];
    const bottom = row === down - 1 || at + across >= kinds.length;
    axes[`xaxis${name}`] = axis({ anchor: `y${name}`, domain: room(col, across, 70 / chart.clientWidth), showgrid: false, tickformat: ",d", nticks: 5, ...wholeTicks(data.number.at(-1) ?? 0), tickfont: { size: 10 }, fixedrange: true, range: ends(data.number), ...(bottom ? { title: { text: t("search.childrenAxis"), standoff: 4, font: { size: 11 } } } : {}) });
    axes[`yaxis${name}`] = axis({ anchor: `x${name}`, domain: room(down - 1 - row, down, down > 1 ? 58 / (down * HIGH) : 0), tickformat: ".0%", nticks: 3, tickfont: { size: 10 }, range: [0, 1], fixedrange: true, showgrid: false, showticklabels: col === 0 });
    notes.push({ text: heading(kind), xref: `x${name} domain`, yref: `y${name} domain`, x: 0, y: 1, xanchor: "left", yanchor: "bottom", showarrow: false, font: { size: 12, color: ink() } }, ...labels(kind, name));
    return kind.choices.map((/** @type {string} */ label, /** @type {number} */ idx) => area(kind, label, idx, name, data.number));
  });
  await library.react(chart, traces, layout({ hovermode: "x", margin: { l: 44, r: 56, t: 20, b: 40 }, annotations: notes, ...axes, uirevision: kinds.length }), CONFIG);
  chart.dataset.kinds = String(kinds.length);
  chart.setAttribute("aria-label", t("search.decisionsAbout", { n: data.n, kinds: kinds.length }));
  const note = body.querySelector(":scope > .note") ?? body.appendChild(el("p", { class: "muted small note" }));
  note.textContent = t("search.window", { n: data.window });
}

/** @param {any} kind @param {string} label @param {number} idx @param {string} name @param {number[]} number */
function area(kind, label, idx, name, number) {
  const color = tone(idx, kind.choices.length);
  return {
    x: number, y: kind.share[idx].map((/** @type {number | null} */ share) => share ?? 0), xaxis: `x${name}`, yaxis: `y${name}`, type: "scatter", mode: number.length > 1 ? "lines" : "markers", stackgroup: `of${name || 1}`,
    name: chartText(choiceName(kind.role, label)), line: { width: 0.6, color: isDark() ? "#1c2024" : "#ffffff" }, fillcolor: color, marker: { color }, hovertemplate: `%{y:.0%}<extra>${chartText(choiceName(kind.role, label))}</extra>`,
  };
}

/** The kind's name, and its choices with their colors. @param {any} kind */
function heading(kind) {
  const chip = (/** @type {string} */ label, /** @type {number} */ idx) => `<span style="color:${tone(idx, kind.choices.length)}">■</span>${chartText(shortName(choiceName(kind.role, label), 8))}`;
  const chips = kind.choices.length <= MOST_CHIPS ? kind.choices.map(chip) : [];
  return `${chartText(kindName(kind.name))}  <span style="font-size:10px">${chips.join(" ")}</span>`;
}

/** Each choice's name at the right, in the middle of its last share, where that is large enough. @param {any} kind @param {string} name */
function labels(kind, name) {
  let below = 0;
  return kind.choices.flatMap((/** @type {string} */ label, /** @type {number} */ idx) => {
    const share = kind.share[idx].at(-1) ?? 0;
    const middle = below + share / 2;
    below += share;
    if (share < 0.08) return [];
    return [{ text: chartText(shortName(choiceName(kind.role, label), 9)), xref: `x${name} domain`, yref: `y${name}`, x: 1, y: middle, xanchor: "left", yanchor: "middle", xshift: 3, showarrow: false, font: { size: 10.5, color: ink() } }];
  });
}

/** Choices from light to dark. @param {number} idx @param {number} n */
function tone(idx, n) {
  return shade(n > 1 ? 0.12 + (0.88 * idx) / (n - 1) : 0.6);
}

function ink() {
  return isDark() ? "#e7e9eb" : "#1d2126";
}

/** @param {number[]} number */
function ends(number) {
  const [first, last] = [number[0] ?? 0, number[number.length - 1] ?? 1];
  return last > first ? [first, last] : [first - 1, last + 1];
}

/** The part of the width or height that the n-th of some charts has. @param {number} at @param {number} n @param {number} gap */
function room(at, n, gap) {
  const width = (1 - gap * (n - 1)) / n;
  const start = at * (width + gap);
  return [Math.max(0, start), Math.min(1, start + width)];
}
