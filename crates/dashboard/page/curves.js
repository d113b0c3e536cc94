/** The chart of a run: loss, accuracies, and below them learning rate and speed. */

import { events, get, runPath, stillThere } from "./api.js";
import { el, replace, throttle } from "./dom.js";
import { t } from "./i18n.js";
import { CONFIG, LINES, axis, layout, plotly } from "./plot.js";

/** Points in memory from which on every other one is dropped. */
const MOST_POINTS = 2400;
const MAIN = ["loss", "validation_loss", "train_accuracy", "validation_accuracy", "test_accuracy"];
const BELOW = ["learning_rate", "images_per_s"];
const HIDDEN_KEY = "danlu-hidden-curves";

/** The columns of a run's epochs; grows while the run learns. */
export class Curves {
  /** @param {Record<string, any>} columns as the server gives them */
  constructor(columns) {
    /** @type {number} */
    this.nEpochs = columns.n_epochs;
    /** @type {Record<string, (number | null)[]>} */
    this.columns = {};
    for (const name of ["epoch", ...MAIN, ...BELOW, "train_s", "eval_s"]) this.columns[name] = columns[name] ?? [];
  }

  /** Adds an epoch that it has not yet. @param {Record<string, any>} record @returns {boolean} whether it did */
  push(record) {
    if (record.epoch <= this.nEpochs) return false;
    this.nEpochs = record.epoch;
    for (const name in this.columns) this.columns[name].push(record[name] ?? null);
    if (this.columns.epoch.length > MOST_POINTS) this.thin();
    return true;
  }

  /** Every other point but the last. */
  thin() {
    const last = this.columns.epoch.length - 1;
    for (const name in this.columns) {
      this.columns[name] = this.columns[name].filter((_, idx) => idx % 2 === 0 || idx === last);
    }
  }

  /** Whether there is anything to draw of it. @param {string} name */
  has(name) {
    return this.columns[name].some((value) => value !== null);
  }

  /** Its last value. @param {string} name */
  last(name) {
    return this.columns[name].at(-1) ?? null;
  }
}

/** @param {string} id @param {AbortSignal} signal */
export async function fetchCurves(id, signal) {
  return new Curves(await get(runPath(id, "epochs"), { query: { points: 1000 }, signal }));
}

/** Events of a run after what it has. @param {string} id @param {Curves} curves @param {Record<string, (data: any) => void>} handlers @param {AbortSignal} signal */
export function follow(id, curves, handlers, signal) {
  events(() => `${runPath(id, "events")}?after=${curves.nEpochs}`, handlers, signal, stillThere(runPath(id), () => handlers.gone({}), signal));
}

/**
 * The charts with their switches.
 * @param {Curves} curves
 * @param {AbortSignal} signal
 * @returns {{node: HTMLElement, grown: () => void}} call `grown` after each push
 */
export function curvesView(curves, signal) {
  const hidden = new Set(JSON.parse(localStorage.getItem(HIDDEN_KEY) ?? "[]"));
  const switches = el("div", { class: "switch-row", role: "group", "aria-label": t("curves.lines") });
  const main = el("div", { class: "chart", id: "curves", role: "img" });
  const below = el("div", { class: "chart low", id: "rates", role: "img" });
  const draw = throttle(400, () => drawAll().catch(console.error));

  async function drawAll() {
    const library = await plotly();
    if (signal.aborted) return;
    await library.react(main, MAIN.filter((name) => curves.has(name)).map(trace), mainLayout(curves.nEpochs), CONFIG);
    if (signal.aborted) return;
    await library.react(below, BELOW.filter((name) => curves.has(name)).map(trace), lowLayout(curves.nEpochs), CONFIG);
    main.dataset.epochs = String(curves.nEpochs);
    describe();
  }

  /** @param {string} name */
  function trace(name) {
    const { color, dash } = LINES[name];
    const right = name === "loss" || name === "validation_loss" || name === "images_per_s";
    const single = curves.columns.epoch.length < 2;
    return {
      x: curves.columns.epoch, y: curves.columns[name], name: t(`curve.${name}`), yaxis: right ? "y2" : "y",
      mode: single ? "markers" : "lines", line: { color, dash, width: 2 }, marker: { color, size: 7 },
      visible: !hidden.has(name), hovertemplate: `%{y:${format(name)}}`,
    };
  }

  /** @param {string} name */
  function toggle(name) {
    if (!hidden.delete(name)) hidden.add(name);
    localStorage.setItem(HIDDEN_KEY, JSON.stringify([...hidden]));
    buttons();
    draw();
  }

  function buttons() {
    const focused = /** @type {HTMLElement} */ (document.activeElement)?.dataset?.curve;
    replace(switches, MAIN.filter((name) => curves.has(name)).map((name) => lineSwitch(name, !hidden.has(name), () => toggle(name))));
    if (focused) /** @type {HTMLElement} */ (switches.querySelector(`[data-curve="${focused}"]`))?.focus();
  }

  function describe() {
    main.setAttribute("aria-label", t("curves.describe", { n: curves.nEpochs }));
    below.setAttribute("aria-label", t("curves.describeRates"));
  }

  let shown = "";
  const grown = () => {
    const there = MAIN.filter((name) => curves.has(name)).join();
    if (there !== shown) buttons();
    shown = there;
    draw();
  };
  document.addEventListener("theme", draw, { signal });
  grown();
  return { node: el("div", {}, switches, main, below), grown };
}

/** A button that shows or hides a line. @param {string} name @param {boolean} on @param {() => void} onclick */
function lineSwitch(name, on, onclick) {
  const { color, dash } = LINES[name];
  return el("button", { class: "line-switch", "aria-pressed": String(on), data: { curve: name }, onclick },
    el("span", { class: `sample ${dash}`, css: { "--line": color }, "aria-hidden": "true" }), t(`curve.${name}`));
}

/** @param {string} name digits in the box under the pointer */
function format(name) {
  if (name.endsWith("accuracy")) return ".2%";
  return name === "images_per_s" ? ",.0f" : ".4~g";
}

/** Few epochs get a tick each; the library would put ticks between them. @param {number} nEpochs */
export function wholeTicks(nEpochs) {
  return nEpochs <= 8 ? { dtick: 1, tick0: 1 } : {};
}

/** @param {number} nEpochs */
function mainLayout(nEpochs) {
  return layout({
    xaxis: axis({ title: { text: t("curves.epoch"), standoff: 6 }, showgrid: false, tickformat: ",d", ...wholeTicks(nEpochs) }),
    yaxis: axis({ title: { text: t("curves.accuracy") }, tickformat: ".1~%" }),
    yaxis2: axis({ title: { text: t("curves.loss") }, overlaying: "y", side: "right", showgrid: false, rangemode: "tozero" }),
  });
}

/** @param {number} nEpochs */
function lowLayout(nEpochs) {
  return layout({
    margin: { l: 52, r: 52, t: 8, b: 28 },
    xaxis: axis({ showgrid: false, tickformat: ",d", ...wholeTicks(nEpochs) }),
    yaxis: axis({ title: { text: t("curve.learning_rate"), font: { color: LINES.learning_rate.color } }, tickformat: ".2~g", rangemode: "tozero", nticks: 4 }),
    yaxis2: axis({ title: { text: t("curve.images_per_s"), font: { color: LINES.images_per_s.color } }, overlaying: "y", side: "right", showgrid: false, rangemode: "tozero", tickformat: "~s", nticks: 4 }),
  });
}
