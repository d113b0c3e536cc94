/** Facts of a study, its file, and what came of the best trained again. */

import { el } from "../dom.js";
import { count } from "../format.js";
import { t } from "../i18n.js";

/** @param {string} name @param {...any} content */
function still(name, ...content) {
  const node = el("section", { class: `part study-part ${name}`, "aria-labelledby": `h-${name}` }, el("div", { class: "part-head" }, el("h2", { id: `h-${name}` }, t(`study.${name}`))), el("div", { class: "part-body", data: { part: name } }, content));
  return { node, changed: () => {} };
}

/** The report as its file has it. @param {string} report */
export function reportPart(report) {
  return still("report", el("pre", { class: "report", tabindex: "0", "aria-label": t("study.report") }, report));
}

/** @param {string} id @param {any} detail */
export function aboutPart(id, detail) {
  const facts = [
    ["name", detail.row.name], ["store", detail.store], ["workers", detail.workers.join(", ") || "–"], ["parametersOf", count(detail.axes.length)],
    ...Object.entries(detail.attributes).map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]),
  ];
  const known = ["name", "store", "workers", "parametersOf"];
  return still("about",
    el("dl", { class: "run-facts" }, facts.map(([name, value]) => el("div", {}, el("dt", {}, known.includes(name) ? t(`study.fact.${name}`) : name), el("dd", {}, value)))),
    el("table", { class: "plain space" }, el("thead", {}, el("tr", {}, ["parameter", "domain", "trialsWith"].map((name, idx) => el("th", { scope: "col", class: idx === 2 ? "n" : "" }, t(`study.${name}`))))),
      el("tbody", {}, detail.axes.map((/** @type {any} */ axis) => el("tr", {}, el("th", { scope: "row" }, axis.name), el("td", {}, domainText(axis)), el("td", { class: "n" }, count(axis.n)))))),
    detail.toml && el("details", {}, el("summary", {}, "study.toml"), el("pre", { tabindex: "0", "aria-label": "study.toml" }, detail.toml)));
}

/** @param {import("./points.js").Axis} axis */
function domainText(axis) {
  if (axis.categories) return axis.categories.join(" | ");
  return `${axis.low} … ${axis.high}${axis.log ? `, ${t("study.log")}` : ""}`;
}
