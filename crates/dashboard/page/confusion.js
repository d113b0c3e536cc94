/** What was taken for what: the matrix, the classes' accuracy, the pairs that are confused most. */

import { el, replace } from "./dom.js";
import { count, percent } from "./format.js";
import { t } from "./i18n.js";

/** @typedef {(label: number, predicted: number) => void} Open */

/** @param {Open} open shows a cell's images */
export function confusionView(open) {
  const matrix = el("div", { class: "scroll" });
  const classes = el("div", { class: "scroll" });
  const pairs = el("div");
  const note = el("p", { class: "muted" }, t("confusion.note"));
  const node = el("div", { class: "confusion-grid" }, el("div", {}, matrix, note), el("div", {}, el("h3", {}, t("confusion.perClass")), classes, el("h3", {}, t("confusion.pairs")), pairs));
  /** @param {any} data */
  function update(data) {
    const held = focusedCell(matrix);
    replace(matrix, matrixTable(data, open));
    if (held) matrix.querySelector(`[data-cell="${held}"]`)?.focus();
    replace(classes, classTable(data.per_class));
    replace(pairs, pairList(data, open));
  }
  return { node, update };
}

/** @param {Element} matrix */
function focusedCell(matrix) {
  const focused = document.activeElement;
  return focused instanceof HTMLElement && matrix.contains(focused) ? focused.dataset.cell : undefined;
}

/** A table whose cells are buttons; arrow keys go from cell to cell. @param {any} data @param {Open} open */
function matrixTable({ classes, matrix }, open) {
  const head = el("tr", {}, el("td", { class: "corner" }, t("confusion.corner")), classes.map((/** @type {string} */ name) => el("th", { scope: "col" }, el("span", {}, name))));
  const line = (/** @type {number[]} */ row, /** @type {number} */ label) => {
    const sum = row.reduce((a, b) => a + b, 0);
    return el("tr", {}, el("th", { scope: "row" }, classes[label]), row.map((n, predicted) => cell(n, sum, label, predicted, classes, open)));
  };
  const table = el("table", { class: "matrix", onkeydown: walk }, el("caption", { class: "visually-hidden" }, t("confusion.caption")), el("thead", {}, head), el("tbody", {}, matrix.map(line)));
  table.querySelector("button")?.setAttribute("tabindex", "0");
  return table;
}

/** @param {number} n @param {number} sum @param {number} label @param {number} predicted @param {string[]} classes @param {Open} open */
function cell(n, sum, label, predicted, classes, open) {
  const share = sum > 0 ? n / sum : 0;
  const about = t("confusion.cell", { label: classes[label], predicted: classes[predicted], n: count(n), share: percent(share, 1) });
  // A root: the cells that matter hold a few percent of their row.
  const heat = `${Math.round(100 * Math.sqrt(share))}%`;
  const kind = label === predicted ? "right" : "wrong";
  return el("td", {}, el("button", {
    class: `${kind}${share > 0.3 ? " strong" : ""}`, tabindex: "-1", title: about, "aria-label": about, css: { "--heat": heat }, data: { cell: `${label},${predicted}` },
    onclick: () => open(label, predicted),
  }, n ? count(n) : el("span", { class: "zero" }, "·")));
}

/** @param {KeyboardEvent} event */
function walk(event) {
  const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };
  const step = steps[/** @type {keyof typeof steps} */ (event.key)];
  const from = /** @type {HTMLElement} */ (event.target);
  if (!step || !from.dataset.cell) return;
  const [row, column] = from.dataset.cell.split(",").map(Number);
  const table = /** @type {HTMLElement} */ (event.currentTarget);
  const to = /** @type {HTMLElement | null} */ (table.querySelector(`[data-cell="${row + step[0]},${column + step[1]}"]`));
  event.preventDefault();
  if (!to) return;
  from.tabIndex = -1;
  to.tabIndex = 0;
  to.focus();
}

/** @param {any[]} classes */
function classTable(classes) {
  const head = ["confusion.class", "confusion.n", "confusion.recall", "confusion.precision"];
  const line = (/** @type {any} */ one) => el("tr", {}, el("th", { scope: "row" }, one.class), el("td", { class: "n" }, count(one.n)),
    el("td", { class: "n share", css: { "--share": one.recall ?? 0 } }, percent(one.recall, 1)), el("td", { class: "n" }, percent(one.precision, 1)));
  return el("table", { class: "plain" }, el("thead", {}, el("tr", {}, head.map((key, idx) => el("th", { scope: "col", class: idx ? "n" : "", title: MEANINGS.includes(key) ? t(`${key}About`) : null }, t(key))))), el("tbody", {}, classes.map(line)));
}

const MEANINGS = ["confusion.recall", "confusion.precision"];

/** @param {any} data @param {Open} open */
function pairList({ classes, most_confused: pairs }, open) {
  if (pairs.length === 0) return el("p", { class: "muted" }, t("confusion.noPairs"));
  return el("ol", { class: "pairs" }, pairs.map((/** @type {any} */ pair) => el("li", {}, el("button", { class: "link", onclick: () => open(pair.label, pair.predicted) },
    t("confusion.pair", { label: classes[pair.label], predicted: classes[pair.predicted] })), " ", el("span", { class: "muted" }, count(pair.n)))));
}
