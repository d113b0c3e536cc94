/**
 * A section of a study's page. What it shows is fetched when it comes into view, and again when the study has changed as
 * long as it is in view: a study of 10,000 trials costs what is looked at.
 */

import { isAbort } from "../api.js";
import { el, replace } from "../dom.js";
import { t } from "../i18n.js";
import { purgeCharts } from "../plot.js";

/** From one fetch to the next, at least. */
const PERIOD_MS = 2000;
/** Fetching and drawing take at most one part in so many of the time. */
const SHARE = 10;

/** The parts take turns, in the order in which they came into view, so that the first is there soon. @type {Promise<any>} */
let turn = Promise.resolve();

/** When everybody before is done and the browser has drawn. @param {() => Promise<any>} work */
function inTurn(work) {
  turn = turn.then(work, work).then(() => new Promise((resolve) => setTimeout(resolve, 0)));
  return turn;
}

/** @typedef {{node: HTMLElement, body: HTMLElement, changed: () => void, reload: () => void, show: (on: boolean) => void}} Part */

/**
 * @param {string} name
 * @param {(body: HTMLElement, signal: AbortSignal) => Promise<any>} refresh fetches and draws into the body
 * @param {AbortSignal} signal
 * @param {any} [tools] stands beside the heading
 * @param {string} [title] the heading
 * @returns {Part}
 */
export function part(name, refresh, signal, tools, title = t(`study.${name}`)) {
  const body = el("div", { class: "part-body", data: { part: name } }, el("p", { class: "muted" }, t("shell.loading")));
  const heading = el("div", { class: "part-head" }, el("h2", { id: `h-${name}` }, title), tools);
  const node = el("section", { class: `part study-part ${name}`, "aria-labelledby": `h-${name}` }, heading, body);
  let inView = false;
  let stale = true;
  let busy = false;
  let timer = 0;
  let earliest = 0;

  async function run() {
    timer = 0;
    if (signal.aborted || busy || !inView || !stale || node.hidden) return;
    busy = true;
    await inTurn(draw);
    busy = false;
    plan();
  }

  async function draw() {
    // The reader may have scrolled on meanwhile.
    if (signal.aborted || !inView) return;
    stale = false;
    const start = performance.now();
    try {
      await refresh(body, signal);
      body.dataset.ready = "true";
    } catch (error) {
      if (!isAbort(error)) inPlace(body, el("p", { class: "bad-text" }, error instanceof Error ? error.message : String(error)));
    }
    const now = performance.now();
    earliest = now + Math.max(PERIOD_MS, (now - start) * SHARE);
  }

  function plan() {
    if (stale && inView && !busy && !timer) timer = setTimeout(run, Math.max(0, earliest - performance.now()));
  }

  const observer = new IntersectionObserver((entries) => {
    // The last is how it is; those before it came in the same turn.
    inView = entries[entries.length - 1].isIntersecting;
    plan();
  }, { rootMargin: "300px 0px" });
  observer.observe(node);
  signal.addEventListener("abort", () => {
    observer.disconnect();
    clearTimeout(timer);
  });

  function changed() {
    stale = true;
    plan();
  }

  /** At once, as the reader asks for it. */
  function reload() {
    earliest = 0;
    clearTimeout(timer);
    timer = 0;
    changed();
  }
  document.addEventListener("theme", reload, { signal });
  return {
    node, body, changed, reload,
    show: (on) => {
      node.hidden = !on;
      if (on) plan();
    },
  };
}

/** The element for a chart in a body, made once. @param {HTMLElement} body @param {string} [kind] */
export function chartIn(body, kind = "") {
  const there = body.querySelector(":scope > .chart");
  if (there) return /** @type {HTMLElement} */ (there);
  const chart = el("div", { class: `chart ${kind}`, role: "img" });
  replace(body, chart);
  return chart;
}

/** Says in place of a chart that there is nothing to draw. @param {HTMLElement} body @param {string} words */
export function nothing(body, words) {
  inPlace(body, el("p", { class: "muted nothing-yet" }, words));
}

/** @param {HTMLElement} body @param {Element} content in place of what is there */
function inPlace(body, content) {
  purgeCharts(body);
  replace(body, content);
}

/** How much of a whole a chart shows. @param {HTMLElement} body @param {number} shown @param {number} n */
export function thinnedNote(body, shown, n) {
  const there = body.querySelector(":scope > .thinned");
  const note = there ?? body.appendChild(el("p", { class: "muted small thinned" }));
  note.textContent = shown < n ? t("study.thinned", { shown, n }) : "";
}
