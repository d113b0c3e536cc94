/** The trials in pages: sorted, filtered by state, searched. */

import { get, isAbort } from "../api.js";
import { complain, debounce, el, replace } from "../dom.js";
import { count, duration } from "../format.js";
import { t } from "../i18n.js";
import { lastOffset } from "../list_order.js";
import { stateChip } from "../state.js";
import { part } from "./part.js";
import { studyPath, trialHash } from "./path.js";
import { objectiveName, valueText } from "./show.js";

const PAGE = 25;
const STATES = ["", "complete", "pruned", "failed", "running", "waiting"];
/** Parameters that have a column each. */
const MOST_PARAMS = 8;

/** @param {string} id @param {any} detail @param {AbortSignal} signal */
export function tablePart(id, detail, signal) {
  const table = new TrialTable(id, detail, signal);
  const whole = part("trials", (body) => table.load(body), signal, table.tools);
  table.again = whole.reload;
  return { ...whole, update: (/** @type {import("./points.js").Axis[]} */ axes) => table.take(axes) && whole.changed() };
}

class TrialTable {
  /** @param {string} id @param {any} detail @param {AbortSignal} signal */
  constructor(id, detail, signal) {
    this.id = id;
    this.signal = signal;
    this.objectives = detail.row.objectives;
    /** @type {string[]} */
    this.params = [];
    this.take(detail.axes);
    this.state = "";
    this.search = "";
    this.sort = "number";
    this.order = "desc";
    this.offset = 0;
    this.again = () => {};
    const typed = debounce(250, () => this.change({ search: box.value }));
    const box = el("input", { type: "search", id: "trial-search", placeholder: t("study.searchTrials"), "aria-label": t("study.searchTrials"), oninput: typed });
    this.choice = el("select", { id: "trial-state", "aria-label": t("runs.state"), onchange: () => this.change({ state: this.choice.value }) }, STATES.map((state) => el("option", { value: state }, t(state ? `trialState.${state}` : "study.allStates"))));
    this.tools = el("div", { class: "toolbar" }, box, this.choice);
  }

  /** @param {import("./points.js").Axis[]} axes @returns {boolean} whether there are others than before */
  take(axes) {
    const names = axes.map((axis) => axis.name);
    const isOther = names.join("\n") !== this.params.join("\n");
    this.params = names;
    return isOther;
  }

  /** @param {Partial<{state: string, search: string, sort: string, order: string, offset: number}>} to */
  change(to) {
    Object.assign(this, { offset: 0 }, to);
    this.again();
  }

  /** @param {HTMLElement} body */
  async load(body) {
    try {
      const query = { state: this.state, search: this.search, sort: this.sort, order: this.order, offset: this.offset, limit: PAGE };
      const data = await get(studyPath(this.id, "trials"), { query, signal: this.signal });
      if (data.total > 0 && this.offset >= data.total) {
        this.offset = lastOffset(data.total, PAGE);
        await this.load(body);
        return;
      }
      this.draw(body, data);
    } catch (error) {
      if (!isAbort(error)) complain(error);
    }
  }

  /** @param {HTMLElement} body @param {any} data */
  draw(body, data) {
    const held = /** @type {HTMLElement | null} */ (body.contains(document.activeElement) ? document.activeElement : null)?.dataset.key;
    const columns = this.columns();
    const head = el("tr", {}, columns.map((column) => this.columnHead(column)));
    const rows = data.trials.map((/** @type {any} */ row) => el("tr", { data: { trial: row.number } }, columns.map(({ name, cell }, idx) =>
      el(idx === 0 ? "th" : "td", { scope: idx === 0 ? "row" : null, class: `c-${name}` }, cell(row)))));
    replace(body,
      el("div", { class: "scroll", tabindex: "0", role: "group", "aria-label": t("study.trials") }, el("table", { class: "plain trials" }, el("thead", {}, head), el("tbody", {}, rows))),
      data.total === 0 && el("p", { class: "nothing-yet muted" }, t("study.noTrialFound")), this.foot(data));
    body.dataset.total = String(data.total);
    if (held) /** @type {HTMLElement | null} */ (body.querySelector(`[data-key="${held}"]`))?.focus();
  }

  /** @returns {{name: string, title: string, sort?: string, cell: (row: any) => any}[]} */
  columns() {
    const params = this.params.slice(0, MOST_PARAMS).map((/** @type {string} */ name) => ({ name: "param", title: name, sort: `param/${name}`, cell: (/** @type {any} */ row) => paramText(row.params[name]) }));
    const values = this.objectives.map((/** @type {any} */ objective, /** @type {number} */ idx) => ({
      name: "value", title: objectiveName(objective), sort: `value/${idx}`, cell: (/** @type {any} */ row) => [row.values.length > idx ? valueText(row.values[idx], objective) : "–", idx === 0 && !row.feasible && el("span", { class: "bad-text", title: t("study.infeasible") }, " ✕")],
    }));
    return [
      { name: "number", title: t("study.number"), sort: "number", cell: (row) => el("a", { href: trialHash(this.id, row.number) }, `#${row.number}`) },
      { name: "state", title: t("runs.state"), sort: "state", cell: (row) => [stateChip({ state: row.state, reason: row.failure }, "trialState"), row.duplicate_of !== null && el("span", { class: "muted small" }, " ", t("study.sameAs", { n: row.duplicate_of }))] },
      ...values,
      { name: "epochs", title: t("runs.epochs"), sort: "epochs", cell: (row) => count(row.last_step) },
      { name: "seconds", title: t("runs.seconds"), sort: "seconds", cell: (row) => duration(row.seconds) },
      ...params,
    ];
  }

  /** @param {{name: string, title: string, sort?: string}} column */
  columnHead({ name, title, sort }) {
    const here = sort === this.sort;
    const order = here && this.order === "desc" ? "asc" : "desc";
    const arrow = here ? el("span", { "aria-hidden": "true" }, this.order === "desc" ? " ↓" : " ↑") : "";
    const sorted = here ? (this.order === "desc" ? "descending" : "ascending") : null;
    return el("th", { scope: "col", class: `c-${name}`, "aria-sort": sorted }, el("button", { class: "sort-head", data: { key: sort }, onclick: () => this.change({ sort, order }) }, title, arrow));
  }

  /** @param {any} data */
  foot(data) {
    const to = Math.min(this.offset + data.trials.length, data.total);
    const step = (/** @type {number} */ by, /** @type {string} */ label, /** @type {boolean} */ able) =>
      el("button", { disabled: !able, data: { key: label }, onclick: () => this.change({ offset: Math.max(0, this.offset + by) }) }, t(label));
    const words = data.total > 0 ? t("runs.range", { from: count(this.offset + 1), to: count(to), total: count(data.total) }) : "";
    return el("div", { class: "pages" }, el("p", { class: "muted", role: "status" }, words), data.total > PAGE && [step(-PAGE, "runs.before", this.offset > 0), step(PAGE, "runs.after", to < data.total)]);
  }
}

/** A number in few digits, anything else as it is. @param {string | undefined} text */
export function paramText(text) {
  if (text === undefined) return "–";
  const number = Number(text);
  if (!Number.isFinite(number) || text === "" || text.length < 9) return text;
  return el("span", { title: text }, String(Number(number.toPrecision(4))));
}
