/** The page of one study; while it goes on, what is in view follows. */

import { events, get, isAbort, stillThere } from "../api.js";
import { el, replace, throttle } from "../dom.js";
import { t } from "../i18n.js";
import { fail } from "../router.js";
import { Contour } from "./contour.js";
import { frontPart } from "./front.js";
import { headView, waitForStore } from "./head.js";
import { historyPart } from "./history.js";
import { importancePart } from "./importance.js";
import { intermediatePart } from "./intermediate.js";
import { Parallel } from "./parallel.js";
import { part } from "./part.js";
import { searchHash, studyPath } from "./path.js";
import { aboutPart, reportPart } from "./about.js";
import { objectiveName } from "./show.js";
import { drawSlices } from "./slices.js";
import { tablePart } from "./table.js";
import { timelinePart } from "./timeline.js";

/** Trials of which charts of parameters are drawn. */
const POINTS = 1000;

/** From one fetch of the study's details to the next, at least. */
const DETAIL_MS = 2000;

/** @param {HTMLElement} root @param {import("../router.js").Visit} visit */
export async function view(root, { parts: [id], signal }) {
  const place = el("div");
  replace(root, el("p", { class: "crumb" }, el("a", { href: "#/studies" }, t("nav.studies"))), el("h1", {}, id), place);
  const detail = await get(studyPath(id), { signal });
  const head = headView(detail, signal);
  if (detail.row.state === "unreadable") {
    replace(place, head.node);
    waitForStore(id, head, signal);
    return;
  }
  const study = new StudyPage(id, detail, signal);
  if (detail.row.is_search) head.links.append(el("a", { class: "button", href: searchHash(id), data: { test: "as-search" } }, t("search.asSearch")));
  replace(place, head.node, study.node);
  head.update(detail);
  let told = detail;
  const gone = () => fail(new Error(t("study.gone")));
  events(studyPath(id, "events"), {
    study: (news) => {
      head.update(news);
      if (news.revision !== told.revision) study.changed();
      // The report comes after the last trial, when nobody works any more.
      else if (news.row.state !== told.row.state) study.refresh();
      told = news;
    },
    gone,
  }, signal, stillThere(studyPath(id), gone, signal));
}

/** The charts, each of which knows when to draw. */
class StudyPage {
  /** @param {string} id @param {any} detail @param {AbortSignal} signal */
  constructor(id, detail, signal) {
    this.id = id;
    this.signal = signal;
    this.objectives = detail.row.objectives;
    this.objective = 0;
    /** Names of parameters, the most important first. @type {string[]} */
    this.order = [];
    /** @type {Promise<any> | null} */
    this.points = null;
    const objective = () => this.objective;
    const parallel = new Parallel();
    const contour = new Contour();
    this.history = historyPart(id, objective, signal);
    this.ofParams = [
      part("contour", async (body) => contour.draw(body, id, await this.fetchPoints(), this.order, signal), signal),
      part("parallel", async (body) => parallel.draw(body, await this.fetchPoints(), this.order), signal),
      part("slices", async (body) => drawSlices(body, id, await this.fetchPoints(), this.order, signal), signal),
    ];
    this.importance = importancePart(id, objective, (names) => this.ordered(names), signal);
    const several = this.objectives.length > 1;
    this.report = reportPart(id);
    this.table = tablePart(id, detail, signal);
    this.about = aboutPart(detail);
    this.take(detail);
    this.parts = [
      this.report, ...(several ? [frontPart(id, signal)] : []), this.history, ...(several ? [] : [intermediatePart(id, signal)]), this.importance,
      ...this.ofParams, timelinePart(id, signal), this.table, this.about,
    ];
    this.refresh = throttle(DETAIL_MS, () => get(studyPath(id), { signal }).then((now) => this.take(now), (error) => isAbort(error) || console.error(error)));
    this.node = el("div", {}, several && this.choice(), el("div", { class: several ? "study-parts several" : "study-parts" }, this.parts.map((one) => one.node)));
  }

  /** Which of several objectives the charts are of. */
  choice() {
    const select = el("select", { id: "objective", onchange: () => {
      this.objective = Number(select.value);
      this.points = null;
      for (const one of [this.history, this.importance, ...this.ofParams]) one.reload();
    } }, this.objectives.map((/** @type {any} */ one, /** @type {number} */ idx) => el("option", { value: idx }, objectiveName(one))));
    return el("p", { class: "toolbar" }, el("label", { for: "objective" }, t("study.chartsOf")), select);
  }

  /** One fetch serves the three charts of parameters. */
  fetchPoints() {
    this.points ??= get(studyPath(this.id, "parallel"), { query: { objective: this.objective, points: POINTS }, signal: this.signal }).catch((error) => {
      this.points = null;
      throw error;
    });
    return this.points;
  }

  /** @param {string[]} names */
  ordered(names) {
    if (names.join("\n") === this.order.join("\n")) return;
    this.order = names;
    for (const one of this.ofParams) one.changed();
  }

  /** What is not a chart. @param {any} detail */
  take(detail) {
    if (detail.row.state === "unreadable") return;
    this.report.update(detail.report);
    this.table.update(detail.axes);
    this.about.update(detail);
  }

  changed() {
    this.refresh();
    this.points = null;
    for (const one of this.parts) one.changed();
  }
}
