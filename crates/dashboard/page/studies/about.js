/** Facts of a study, its file, and what came of the best trained again. */

import { el, replace } from "../dom.js";
import { count, percent } from "../format.js";
import { t } from "../i18n.js";
import { trialHash } from "./path.js";

/** @param {string} name @param {...any} content */
function still(name, ...content) {
  return el("section", { class: `part study-part ${name}`, "aria-labelledby": `h-${name}` }, el("div", { class: "part-head" }, el("h2", { id: `h-${name}` }, t(`study.${name}`))), el("div", { class: "part-body", data: { part: name } }, content));
}

/** The report, which is there when the best were trained again. @param {string} id */
export function reportPart(id) {
  const body = el("div");
  const node = still("report", el("p", { class: "muted small" }, t("study.reportAbout")), body);
  let told = "";

  /** @param {any} report as `report.json` has it */
  function update(report) {
    node.hidden = !isReport(report);
    const text = JSON.stringify(report);
    if (node.hidden || text === told) return;
    told = text;
    replace(body, reportTable(id, report));
  }
  return { node, changed: () => {}, update };
}

/** The best, and what they came to when they were trained again. @param {string} id @param {any} report */
function reportTable(id, report) {
  const best = Array.isArray(report.best) ? report.best.filter((/** @type {any} */ one) => one.retrained) : [];
  const line = (/** @type {any} */ one) => {
    const { n, test_accuracy: mean, standard_error: error, each = [] } = one.retrained;
    const run = (/** @type {number} */ value, /** @type {number} */ idx) => [idx > 0 && ", ", el("a", { href: `#/runs/${encodeURIComponent(againId(id, one.trial, idx))}` }, percent(value))];
    return el("tr", {}, el("th", { scope: "row" }, el("a", { href: trialHash(id, one.trial) }, `#${one.trial}`)),
      el("td", { class: "n" }, el("b", {}, percent(mean)), error === null || error === undefined ? "" : ` ± ${percent(error)}`), el("td", { class: "n" }, count(n)), el("td", {}, each.map(run)));
  };
  return el("div", { class: "scroll" }, el("table", { class: "plain" }, el("thead", {}, el("tr", {}, ["trial", "meanTest", "seeds", "each"].map((name, idx) => el("th", { scope: "col", class: idx === 1 || idx === 2 ? "n" : "" }, t(`study.report.${name}`))))), el("tbody", {}, best.map(line))));
}

/** Whether there is anything to show. @param {any} report */
function isReport(report) {
  return Array.isArray(report?.best) && report.best.some((/** @type {any} */ one) => one.retrained);
}

/** The run of a trial that was trained again. @param {string} id @param {number} trial @param {number} idx */
function againId(id, trial, idx) {
  return `study~${id}~${String(trial).padStart(4, "0")}-${idx}`;
}

/** @param {any} detail */
export function aboutPart(detail) {
  const body = el("div");
  const node = still("about", body, detail.toml && el("details", {}, el("summary", {}, "study.toml"), el("pre", { tabindex: "0", "aria-label": "study.toml" }, detail.toml)));
  const update = (/** @type {any} */ now) => replace(body, facts(now), space(now.axes));
  return { node, changed: () => {}, update };
}

/** @param {any} detail */
function facts(detail) {
  const facts = [
    ["name", detail.row.name], ["store", detail.store], ["workers", detail.workers.join(", ") || "–"], ["parametersOf", count(detail.axes.length)],
    ...Object.entries(detail.attributes).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
  ];
  const known = ["name", "store", "workers", "parametersOf"];
  return el("dl", { class: "run-facts" }, facts.map(([name, value]) => el("div", {}, el("dt", {}, known.includes(name) ? t(`study.fact.${name}`) : name), el("dd", {}, value))));
}

/** @param {import("./points.js").Axis[]} axes */
function space(axes) {
  return el("table", { class: "plain space" }, el("thead", {}, el("tr", {}, ["parameter", "domain", "trialsWith"].map((name, idx) => el("th", { scope: "col", class: idx === 2 ? "n" : "" }, t(`study.${name}`))))),
    el("tbody", {}, axes.map((axis) => el("tr", {}, el("th", { scope: "row" }, axis.name), el("td", {}, domainText(axis)), el("td", { class: "n" }, count(axis.n))))));
}

/** @param {import("./points.js").Axis} axis */
function domainText(axis) {
  if (axis.categories) return axis.categories.join(" | ");
  return `${axis.low} … ${axis.high}${axis.log ? `, ${t("study.log")}` : ""}`;
}
