/**
 * Parallel coordinates: a line for each trial over an axis for each parameter. The chart library draws these with WebGL
 * and with code that it makes while it runs, which the page's policy forbids; a canvas does it with less.
 */

import { el, replace } from "../dom.js";
import { significant } from "../format.js";
import { t } from "../i18n.js";
import { shade } from "./colors.js";
import { nothing } from "./part.js";
import { shortName, varying } from "./points.js";
import { ranks, usualRange } from "./range.js";
import { isShare, objectiveName, valueText } from "./show.js";

const MOST = 12;
const TOP = 34;
const BOTTOM = 22;
/** Pixels that an axis takes at least; where there is less room the chart scrolls. */
const NARROWEST = 92;
/** Pixels beside the outer axes. */
const LEFT = 44;
const RIGHT = 68;
/** Pixels of a letter. */
const LETTER = 7;
/** Categories that are written out. */
const MOST_LABELS = 14;

/** @typedef {{name: string, title: string, place: (idx: number) => number | null, labels: {at: number, text: string}[]}} Line an axis; places from 0 (bottom) to 1 */

export class Parallel {
  constructor() {
    /** What the reader lets through, by the axis's name, from 0 to 1. @type {Map<string, [number, number]>} */
    this.brushes = new Map();
  }

  /** @param {HTMLElement} body @param {import("./points.js").Points} points @param {string[]} order */
  draw(body, points, order) {
    const columns = varying(points, order).slice(0, MOST);
    if (columns.length === 0 || points.number.length === 0) return nothing(body, t("study.nothingVaries"));
    this.points = points;
    this.lines = [...columns.map(paramLine), valueLine(points)];
    this.shares = ranks(points.value, points.objective.direction);
    if (!body.querySelector(".parallel")) this.frame(body);
    for (const name of this.brushes.keys()) if (!this.lines.some((line) => line.name === name)) this.brushes.delete(name);
    this.body = body;
    this.room?.setAttribute("aria-label", t("study.parallelAbout", { n: points.number.length, axes: columns.length, objective: objectiveName(points.objective) }));
    this.paint();
  }

  /** @param {HTMLElement} body */
  frame(body) {
    this.canvas = el("canvas", { "aria-hidden": "true" });
    this.labels = el("div", { class: "parallel-labels" });
    this.room = el("div", { class: "parallel", role: "img" }, this.canvas, this.labels);
    this.said = el("p", { class: "muted small", role: "status" });
    replace(body, el("div", { class: "scroll", tabindex: "0" }, this.room), this.said);
    new ResizeObserver(() => this.paint()).observe(/** @type {HTMLElement} */ (this.room.parentElement));
  }

  paint() {
    if (!this.lines || !this.canvas || !this.room || !this.points) return;
    const width = Math.max(this.room.parentElement?.clientWidth ?? 0, this.lines.length * NARROWEST);
    const height = 360;
    if (width < 10) return;
    const scale = devicePixelRatio || 1;
    this.room.style.width = `${width}px`;
    Object.assign(this.canvas, { width: width * scale, height: height * scale });
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${height}px` });
    const context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    context.scale(scale, scale);
    this.geometry = { step: (width - LEFT - RIGHT) / Math.max(1, this.lines.length - 1), left: LEFT, bottom: height - BOTTOM, span: height - BOTTOM - TOP };
    const kept = this.strokes(context);
    this.axes(context);
    this.write(kept);
    this.canvas.dataset.lines = String(kept);
  }

  /** @param {number} at */
  x(at) {
    return (this.geometry?.left ?? 0) + at * (this.geometry?.step ?? 0);
  }

  /** @param {number} share */
  y(share) {
    return (this.geometry?.bottom ?? 0) - share * (this.geometry?.span ?? 0);
  }

  /** The lines, the best last so that they lie on top. @param {CanvasRenderingContext2D} context */
  strokes(context) {
    const { lines = [], shares = [], points } = this;
    const order = shares.map((_, idx) => idx).sort((a, b) => shares[a] - shares[b]);
    const isLet = (/** @type {number} */ idx) => lines.every((line) => {
      const brush = this.brushes.get(line.name);
      if (!brush) return true;
      const place = line.place(idx);
      return place !== null && place >= brush[0] - 1e-9 && place <= brush[1] + 1e-9;
    });
    const many = order.length > 200;
    let kept = 0;
    for (const idx of order) {
      const on = isLet(idx);
      kept += on ? 1 : 0;
      if (!on && this.brushes.size > 0 && many && idx % 4) continue;
      context.globalAlpha = on ? (many ? 0.1 + 0.5 * shares[idx] ** 3 : 0.85) : 0.06;
      context.strokeStyle = shade(shares[idx]);
      context.lineWidth = on && shares[idx] > 0.95 ? 2 : 1;
      context.setLineDash(points?.feasible[idx] ? [] : [3, 3]);
      this.stroke(context, lines, idx);
    }
    context.globalAlpha = 1;
    context.setLineDash([]);
    return kept;
  }

  /** A line that skips what the trial does not have. @param {CanvasRenderingContext2D} context @param {Line[]} lines @param {number} idx */
  stroke(context, lines, idx) {
    context.beginPath();
    let begun = false;
    lines.forEach((line, at) => {
      const place = line.place(idx);
      if (place === null) return;
      if (begun) context.lineTo(this.x(at), this.y(place));
      else context.moveTo(this.x(at), this.y(place));
      begun = true;
    });
    context.stroke();
  }

  /** @param {CanvasRenderingContext2D} context */
  axes(context) {
    const style = getComputedStyle(document.documentElement);
    const [line, accent] = ["--line-strong", "--accent"].map((name) => style.getPropertyValue(name));
    (this.lines ?? []).forEach(({ name }, at) => {
      context.strokeStyle = line;
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(this.x(at), this.y(1));
      context.lineTo(this.x(at), this.y(0));
      context.stroke();
      const brush = this.brushes.get(name);
      if (!brush) return;
      context.fillStyle = accent;
      context.globalAlpha = 0.55;
      context.fillRect(this.x(at) - 4, this.y(brush[1]), 8, Math.max(3, this.y(brush[0]) - this.y(brush[1])));
      context.globalAlpha = 1;
    });
  }

  /** Names, marks, and the places to drag on. @param {number} kept */
  write(kept) {
    const { lines = [], points } = this;
    const fits = (/** @type {number} */ at) => Math.floor((at === 0 || at === lines.length - 1 ? 2 * (at === 0 ? LEFT : RIGHT) : (this.geometry?.step ?? 0) - 6) / LETTER);
    replace(/** @type {HTMLElement} */ (this.labels), lines.map((line, at) => [
      el("span", { class: "parallel-name", title: line.title, css: { "--x": `${this.x(at)}px` } }, shortName(line.title, Math.max(8, fits(at)))),
      line.labels.map(({ at: share, text }) => el("span", { class: "parallel-mark", css: { "--x": `${this.x(at)}px`, "--y": `${this.y(share)}px` } }, text)),
      this.handle(line.name, at),
    ]));
    const n = points?.number.length ?? 0;
    replace(/** @type {HTMLElement} */ (this.said),
      this.brushes.size > 0 ? [t("study.brushed", { n: kept, total: n }), " ", el("button", { class: "link", onclick: () => this.clear() }, t("study.unbrush"))] : t("study.parallelHint", { n, total: points?.n ?? n }));
  }

  clear() {
    this.brushes.clear();
    this.paint();
  }

  /** A strip over an axis: a drag lets only a range through, a press all of it again. @param {string} name @param {number} at */
  handle(name, at) {
    const strip = el("span", { class: "parallel-strip", css: { "--x": `${this.x(at)}px`, "--top": `${TOP}px`, "--span": `${this.geometry?.span ?? 0}px` }, data: { axis: name } });
    const share = (/** @type {PointerEvent} */ event) => {
      const box = /** @type {HTMLElement} */ (this.canvas).getBoundingClientRect();
      return Math.min(1, Math.max(0, (this.y(0) - (event.clientY - box.top)) / (this.geometry?.span ?? 1)));
    };
    strip.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
      const from = share(event);
      const moves = new AbortController();
      const move = (/** @type {PointerEvent} */ moved) => {
        const to = share(moved);
        if (Math.abs(to - from) < 0.015) this.brushes.delete(name);
        else this.brushes.set(name, [Math.min(from, to), Math.max(from, to)]);
        this.paintSoon();
      };
      move(event);
      addEventListener("pointermove", move, { signal: moves.signal });
      for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => moves.abort(), { signal: moves.signal });
      event.preventDefault();
    });
    return strip;
  }

  paintSoon() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      this.paint();
    });
  }
}

/** @param {import("./points.js").Column} column @returns {Line} */
function paramLine({ axis, values }) {
  if (axis.categories) {
    const n = axis.categories.length;
    const at = (/** @type {number} */ idx) => (n > 1 ? 0.04 + (0.92 * idx) / (n - 1) : 0.5);
    const every = Math.ceil(n / MOST_LABELS);
    const labels = axis.categories.map((label, idx) => ({ at: at(idx), text: shortName(label, 12) })).filter((_, idx) => idx % every === 0);
    return { name: axis.name, title: axis.name, labels, place: (idx) => (values[idx] === null ? null : at(Number(values[idx]))) };
  }
  const known = values.filter((value) => value !== null).map(Number);
  return { name: axis.name, title: axis.name, ...numbers(known, axis.log, (idx) => values[idx], (value) => significant(value)) };
}

/** @param {import("./points.js").Points} points @returns {Line} */
function valueLine({ objective, value }) {
  const range = usualRange(value, objective.direction);
  const inside = range ? value.map((one) => Math.min(range[1], Math.max(range[0], one))) : value;
  const text = (/** @type {number} */ one) => (isShare(objective) ? valueText(Number(one.toFixed(4)), objective) : significant(one));
  return { name: "\u0000value", title: objectiveName(objective), ...numbers(inside, false, (idx) => inside[idx], text) };
}

/** @param {number[]} known @param {boolean} log @param {(idx: number) => number | null} of @param {(value: number) => string} text */
function numbers(known, log, of, text) {
  const on = (/** @type {number} */ value) => (log && value > 0 ? Math.log(value) : value);
  let [low, high] = [Infinity, -Infinity];
  for (const value of known) [low, high] = [Math.min(low, value), Math.max(high, value)];
  const place = (/** @type {number} */ value) => (high > low ? (on(value) - on(low)) / (on(high) - on(low)) : 0.5);
  const middle = log ? Math.sqrt(low * high) : (low + high) / 2;
  const labels = (high > low ? [low, middle, high] : [low]).filter(Number.isFinite).map((value) => ({ at: place(value), text: text(value) }));
  return { labels, place: (/** @type {number} */ idx) => (of(idx) === null ? null : place(Number(of(idx)))) };
}
