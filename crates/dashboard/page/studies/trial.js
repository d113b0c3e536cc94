/** The page of one trial. */

import { events, get } from "../api.js";
import { el, replace } from "../dom.js";
import { count, duration, exact, moment } from "../format.js";
import { wholeTicks } from "../curves.js";
import { t } from "../i18n.js";
import { CONFIG, axis, layout, plotly, purgeCharts } from "../plot.js";
import { stateChip } from "../state.js";
import { look } from "./colors.js";
import { nothing } from "./part.js";
import { chartText } from "./points.js";
import { studyHash, studyPath, trialHash } from "./path.js";
import { objectiveName, valueFormat, valueText } from "./show.js";

/** @param {HTMLElement} root @param {import("../router.js").Visit} visit */
export async function view(root, { parts: [id, number], signal }) {
  const place = el("div");
  replace(root, el("p", { class: "crumb" }, el("a", { href: "#/studies" }, t("nav.studies")), " / ", el("a", { href: studyHash(id) }, id)), el("h1", {}, t("study.trialTitle", { n: Number(number) })), place);
  const load = async () => {
    const trial = await get(studyPath(id, `trials/${number}`), { signal });
    draw(place, id, trial);
    await drawCurve(/** @type {HTMLElement} */ (place.querySelector(".curve-body")), trial, signal);
    return trial;
  };
  let trial = await load();
  document.addEventListener("theme", () => drawCurve(/** @type {HTMLElement} */ (place.querySelector(".curve-body")), trial, signal), { signal });
  if (!["waiting", "running"].includes(trial.state)) return;
  let told = "";
  events(studyPath(id, "events"), {
    study: async (news) => {
      if (told && news.revision !== told && ["waiting", "running"].includes(trial.state)) trial = await load();
      told = news.revision;
    },
  }, signal);
}

/** @param {HTMLElement} place @param {string} id @param {any} trial */
function draw(place, id, trial) {
  const step = (/** @type {number} */ to, /** @type {string} */ label) => (to >= 0 && to < trial.n_trials ? el("a", { class: "button", href: trialHash(id, to) }, t(label)) : el("button", { disabled: true }, t(label)));
  const run = trial.run && [
    el("a", { class: "button main", href: `#/blocks?${new URLSearchParams({ run: trial.run })}`, data: { test: "as-blocks" } }, t("study.asBlocks")),
    trial.has_record && el("a", { class: "button", href: `#/runs/${encodeURIComponent(trial.run)}`, data: { test: "as-run" } }, t("study.asRun")),
  ];
  purgeCharts(place);
  replace(place,
    el("div", { class: "run-head" }, stateChip({ state: trial.state }, "trialState"), !trial.feasible && el("span", { class: "tag tag-bad" }, t("study.infeasible")),
      trial.duplicate_of !== null && el("a", { href: trialHash(id, trial.duplicate_of) }, t("study.sameAs", { n: trial.duplicate_of })), el("div", { class: "actions" }, run, step(trial.number - 1, "study.previous"), step(trial.number + 1, "study.next"))),
    trial.failure && el("p", { class: "error failure" }, trial.failure),
    el("dl", { class: "figures" }, figures(trial).map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)))),
    el("div", { class: "trial-columns" }, section("params", paramsTable(trial)), section("curve", el("div", { class: "curve-body" }))),
    section("attributes", attributes(trial)));
}

/** @param {any} trial @returns {[string, string][]} */
function figures(trial) {
  const values = trial.objectives.map((/** @type {any} */ objective, /** @type {number} */ idx) => [objectiveName(objective), trial.values.length > idx ? valueText(trial.values[idx], objective) : "–"]);
  return [...values, [t("runs.epochs"), count(trial.curve.step.at(-1))], [t("runs.seconds"), duration(trial.seconds)], ...(trial.worker ? [[t("study.worker"), trial.worker]] : [])];
}

/** @param {any} trial */
function paramsTable(trial) {
  if (trial.params.length === 0) return el("p", { class: "muted" }, t("study.noParams"));
  const line = (/** @type {any} */ param) => el("tr", {}, el("th", { scope: "row" }, param.name), el("td", {}, el("b", {}, typeof param.value === "number" ? exact(param.value, 8) : param.value)), el("td", { class: "muted" }, param.domain));
  return el("div", { class: "scroll" }, el("table", { class: "plain" }, el("thead", {}, el("tr", {}, ["parameter", "chosen", "domain"].map((name) => el("th", { scope: "col" }, t(`study.${name}`))))), el("tbody", {}, trial.params.map(line))));
}

/** @param {any} trial */
function attributes(trial) {
  const times = [["started", trial.started_ms], ["completed", trial.completed_ms]].filter(([, at]) => at !== null).map(([name, at]) => [t(`study.${name}`), moment(Number(at) / 1000)]);
  const constraints = trial.constraints.length > 0 ? [[t("study.constraints"), trial.constraints.map((/** @type {any} */ one) => valueText(one)).join(", ")]] : [];
  const own = [...Object.entries(trial.user_attributes), ...Object.entries(trial.system_attributes)].map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]);
  return el("dl", { class: "run-facts" }, [...times, ...constraints, ...own].map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))));
}

/** @param {string} name @param {any} content */
function section(name, content) {
  return el("section", { class: "part", "aria-labelledby": `h-${name}` }, el("h2", { id: `h-${name}` }, t(`study.${name}`)), content);
}

/** @param {HTMLElement} body @param {any} trial @param {AbortSignal} signal */
async function drawCurve(body, trial, signal) {
  if (trial.curve.step.length === 0) return nothing(body, t("study.noCurve"));
  const library = await plotly();
  if (signal.aborted) return;
  const chart = body.querySelector(".chart") ?? body.appendChild(el("div", { class: "chart", role: "img" }));
  const objective = trial.objectives[0] ?? { name: "value", direction: "minimize" };
  const format = valueFormat(objective, trial.curve.value);
  const { color } = look(trial.state);
  await library.react(chart, [{ x: trial.curve.step, y: trial.curve.value, type: "scatter", mode: trial.curve.step.length < 40 ? "lines+markers" : "lines", line: { color, width: 2 }, marker: { size: 6 }, name: chartText(objectiveName(objective)), hovertemplate: `%{y:${format.hover}}` }],
    layout({ margin: { l: 52, r: 12, t: 8, b: 40 }, xaxis: axis({ title: { text: t("curves.epoch"), standoff: 6 }, showgrid: false, tickformat: ",d", ...wholeTicks(trial.curve.step.at(-1)) }), yaxis: axis({ title: { text: chartText(objectiveName(objective)) }, tickformat: format.axis }) }), CONFIG);
  chart.setAttribute("aria-label", t("study.curveAbout", { n: trial.curve.step.length }));
}
