/** How much each parameter matters, as bars. */

import { get } from "../api.js";
import { el, replace } from "../dom.js";
import { percent } from "../format.js";
import { t } from "../i18n.js";
import { nothing, part } from "./part.js";
import { studyPath } from "./path.js";

const MOST = 20;

/** @param {string} id @param {() => number} objective @param {(names: string[]) => void} known is told of the order @param {AbortSignal} signal */
export function importancePart(id, objective, known, signal) {
  return part("importance", async (body) => {
    const data = await get(studyPath(id, "importance"), { query: { objective: objective() }, signal });
    known(data.importance.map((/** @type {any} */ one) => one.name));
    if (data.importance.length === 0) return nothing(body, t("study.noImportance"));
    const most = Math.max(1e-12, ...data.importance.map((/** @type {any} */ one) => one.share));
    const bar = (/** @type {any} */ one) => el("li", {}, el("span", { class: "bar-name" }, one.name),
      el("span", { class: "bar-room", "aria-hidden": "true" }, el("span", { class: "bar-fill", css: { "--share": one.share / most } })), el("span", { class: "n" }, percent(one.share, 1)));
    replace(body, el("ol", { class: "importance-bars" }, data.importance.slice(0, MOST).map(bar)), el("p", { class: "muted small" }, t("study.importanceAbout", { n: data.n })));
  }, signal);
}
