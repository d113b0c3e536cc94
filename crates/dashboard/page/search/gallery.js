/** The best children with pictures of their networks; a press opens one as blocks. */

import { get } from "../api.js";
import { el, replace } from "../dom.js";
import { count, duration, short } from "../format.js";
import { t } from "../i18n.js";
import { part } from "../studies/part.js";
import { studyPath, trialHash } from "../studies/path.js";
import { objectiveName, valueText } from "../studies/show.js";
import { pictureButton } from "./child.js";

const BEST = 10;

/** @param {string} id @param {import("./child.js").Networks} networks @param {AbortSignal} signal */
export function galleryPart(id, networks, signal) {
  return part("gallery", async (body) => {
    const data = await get(studyPath(id, "gallery"), { query: { points: BEST }, signal });
    draw(body, id, data, networks);
  }, signal, undefined, t("search.gallery"));
}

/** @param {HTMLElement} body @param {string} id @param {any} data @param {import("./child.js").Networks} networks */
function draw(body, id, data, networks) {
  if (data.best.length === 0) return replace(body, el("p", { class: "muted nothing-yet" }, t("study.nothingYet")));
  const focused = /** @type {HTMLElement | null} */ (body.contains(document.activeElement) ? document.activeElement : null);
  const held = focused?.dataset.opens ?? focused?.dataset.child;
  const heads = [t("study.number"), objectiveName(data.objective), t("search.network"), objectiveName({ ...data.objective, name: "parameters" }), objectiveName({ ...data.objective, name: "multiply_adds" }), t("runs.seconds")];
  const classes = ["c-number", "c-value n", "c-picture", "c-count n", "c-count n", "c-count n"];
  const cells = (/** @type {any} */ one) => {
    const { drawing } = one;
    return [
      el("th", { scope: "row", class: classes[0] }, el("a", { href: trialHash(id, drawing.number), data: { child: drawing.number } }, `#${drawing.number}`)),
      el("td", { class: classes[1] }, el("b", {}, valueText(one.value, data.objective))),
      el("td", { class: classes[2] }, pictureButton(networks, drawing)),
      ...[one.parameters ?? (drawing.parameters || null), one.multiply_adds ?? (drawing.multiply_adds || null)].map((n, at) => el("td", { class: classes[3], title: count(n), data: { label: heads[3 + at] } }, short(n))),
      el("td", { class: classes[5], data: { label: heads[5] } }, duration(one.seconds)),
    ];
  };
  replace(body, el("table", { class: "plain gallery" }, el("caption", { class: "visually-hidden" }, t("search.gallery")),
    el("thead", {}, el("tr", {}, heads.map((head, idx) => el("th", { scope: "col", class: classes[idx] }, head)))),
    el("tbody", {}, data.best.map((/** @type {any} */ one) => el("tr", { data: { trial: one.drawing.number } }, cells(one))))),
    el("p", { class: "muted small" }, t("search.galleryAbout", { shown: data.best.length, n: count(data.n) })));
  if (held) /** @type {HTMLElement | null} */ (body.querySelector(`[data-${focused?.dataset.opens ? "opens" : "child"}="${held}"]`))?.focus();
}
