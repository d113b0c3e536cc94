/** The list of studies. */

import { events, get, isAbort, search } from "../api.js";
import { complain, debounce, el, keepFocus, replace } from "../dom.js";
import { ago, count, moment } from "../format.js";
import { t } from "../i18n.js";
import { lastOffset, naturalOrder, offsetOf, orderTools, turned } from "../list_order.js";
import { setAddress } from "../router.js";
import { stateChip } from "../state.js";
import { searchHash, studyHash, trialHash } from "./path.js";
import { objectiveText, valuesText } from "./show.js";

const PAGE = 50;
/** In which states stand in a strip. */
const ORDER = ["complete", "pruned", "failed", "running", "waiting"];
const SORTS = ["modified", "name", "trials"];
/** @type {{name: string, sort?: string, cell: (row: any) => any}[]} */
const COLUMNS = [
  { name: "state", cell: (row) => stateChip(row, "studyState") },
  { name: "objectives", cell: (row) => row.objectives.map((/** @type {any} */ one, /** @type {number} */ idx) => [idx > 0 && ", ", objectiveText(one)]) },
  { name: "best", cell: bestCell },
  { name: "trials", sort: "trials", cell: trialsCell },
  { name: "modified", sort: "modified", cell: (row) => el("time", { title: moment(row.modified) }, ago(row.modified)) },
];

/**
 * @typedef {object} Kind which studies are listed, and where one is shown
 * @property {string} nav its entry of the navigation
 * @property {Record<string, any>} query
 * @property {(row: any) => boolean} has
 * @property {(id: string) => string} hash of a study's page
 * @property {string} none words where there is none
 * @property {string} command that begins one
 */

/** @type {Kind} */
const STUDIES = { nav: "studies", query: {}, has: () => true, hash: studyHash, none: "studies.none", command: "danlu study run lenet-tune" };

/** @param {HTMLElement} root @param {import("../router.js").Visit} visit */
export function view(root, visit) {
  return show(root, visit, STUDIES);
}

/** @param {HTMLElement} root @param {import("../router.js").Visit} visit @param {Kind} kind */
export async function show(root, { query, signal }, kind) {
  const list = new StudiesList(root, query, signal, kind);
  await list.load();
  events("/api/study-events", { study: (row) => list.changed(row), gone: () => list.reloadSoon() }, signal, () => list.reloadSoon());
}

/** @param {any} row */
function bestCell(row) {
  if (row.n_front !== null) return row.n_front > 0 ? t("studies.front", { n: count(row.n_front) }) : "–";
  if (!row.best) return "–";
  const number = el("a", { href: trialHash(row.id, row.best.number), data: { key: "best" } }, `#${row.best.number}`);
  return [el("b", {}, valuesText(row.best.values, row.objectives)), " ", el("span", { class: "muted" }, number)];
}

/** A number and a bar of the states. @param {any} row */
function trialsCell(row) {
  if (row.state === "unreadable") return "–";
  return el("div", { class: "trial-counts" }, el("span", {}, count(row.n_trials)), stateBar(row));
}

/** The share of each state as a strip of colors, with the numbers in words for who cannot see it. @param {any} row */
export function stateBar(row) {
  const states = ORDER.map((state) => /** @type {[string, number]} */ ([state, row.n_by_state[state] ?? 0])).filter(([, n]) => n > 0);
  const words = states.map(([state, n]) => `${t(`trialState.${state}`)}: ${count(n)}`).join(", ");
  return el("span", { class: "state-bar", role: "img", "aria-label": words, title: words },
    states.map(([state, n]) => el("span", { class: state, css: { "--n": n } })));
}

class StudiesList {
  /** @param {HTMLElement} root @param {URLSearchParams} query @param {AbortSignal} signal @param {Kind} kind */
  constructor(root, query, signal, kind) {
    this.root = root;
    this.signal = signal;
    this.kind = kind;
    this.search = query.get("search") ?? "";
    this.sort = SORTS.find((sort) => sort === query.get("sort")) ?? "modified";
    /** @type {import("../list_order.js").Order} */
    this.order = ["asc", "desc"].includes(query.get("order") ?? "") ? /** @type {any} */ (query.get("order")) : naturalOrder(this.sort);
    this.offset = offsetOf(query.get("offset"));
    /** @type {any[]} */
    this.rows = [];
    this.total = 0;
    this.reloadSoon = debounce(500, () => this.load());
    this.head = el("tr");
    this.body = el("tbody");
    this.empty = el("div");
    this.tools = orderTools(SORTS, "studies.sort", (to) => this.change(to));
    this.foot = el("div", { class: "pages" });
    replace(root, el("h1", {}, t(`nav.${kind.nav}`)), this.toolbar(),
      el("table", { class: "runs studies" }, el("caption", { class: "visually-hidden" }, t(`nav.${kind.nav}`)), el("thead", {}, this.head), this.body),
      this.empty, this.foot);
  }

  toolbar() {
    const typed = debounce(200, () => this.change({ search: box.value }));
    const box = el("input", { type: "search", id: "search", value: this.search, placeholder: t("studies.search"), "aria-label": t("studies.search"), oninput: typed });
    return el("div", { class: "toolbar" }, box, this.tools.node);
  }

  /** @param {Partial<{search: string, sort: string, order: import("../list_order.js").Order, offset: number}>} to */
  change(to) {
    Object.assign(this, { offset: 0 }, to);
    setAddress(`#/${this.kind.nav}${search({ search: this.search, sort: this.sort, order: this.order, offset: this.offset || "" })}`);
    return this.load();
  }

  async load() {
    try {
      const query = { search: this.search, sort: this.sort, order: this.order, offset: this.offset, limit: PAGE, ...this.kind.query };
      const { total, studies, folder } = await get("/api/studies", { query, signal: this.signal });
      if (query.search !== this.search || query.sort !== this.sort || query.order !== this.order || query.offset !== this.offset) return;
      if (total > 0 && this.offset >= total) {
        await this.change({ offset: lastOffset(total, PAGE) });
        return;
      }
      this.total = total;
      this.rows = studies;
      this.folder = folder;
      keepFocus(this.root, () => this.draw());
    } catch (error) {
      if (!isAbort(error)) complain(error);
    }
  }

  /** A study changed: its row follows; one that is not here may belong here. @param {any} row */
  changed(row) {
    const idx = this.rows.findIndex(({ id }) => id === row.id);
    if (idx < 0) return this.kind.has(row) ? this.reloadSoon() : undefined;
    this.rows[idx] = row;
    keepFocus(this.root, () => this.body.children[idx].replaceWith(this.line(row)));
  }

  draw() {
    this.tools.show(this.sort, this.order);
    replace(this.head, this.columnHead("name", "name"), COLUMNS.map(({ name, sort }) => this.columnHead(name, sort)));
    replace(this.body, this.rows.map((row) => this.line(row)));
    replace(this.empty, this.total === 0 && this.nothing());
    this.drawFoot();
  }

  /** @param {string} name @param {string} [sort] */
  columnHead(name, sort) {
    const here = sort !== undefined && sort === this.sort;
    const order = here ? turned(this.order) : naturalOrder(sort ?? "");
    const arrow = here ? el("span", { "aria-hidden": "true" }, this.order === "desc" ? " ↓" : " ↑") : "";
    const sorted = here ? (this.order === "desc" ? "descending" : "ascending") : null;
    const inner = sort ? el("button", { class: "sort-head", data: { key: sort }, onclick: () => this.change({ sort, order }) }, t(`studies.${name}`), arrow) : t(`studies.${name}`);
    return el("th", { scope: "col", class: `c-${name}`, "aria-sort": sorted }, inner);
  }

  /** @param {any} row */
  line(row) {
    const about = row.reason ? el("span", { class: "bad-text small" }, row.reason) : this.about(row);
    const name = el("th", { scope: "row", class: "c-name" }, el("a", { href: this.kind.hash(row.id), data: { key: "open" } }, row.id), this.kind === STUDIES && row.is_search && [" ", el("a", { class: "tag", href: searchHash(row.id), data: { key: "search" } }, t("nav.search"))], about && el("div", {}, about));
    const cells = COLUMNS.map(({ name, cell }) => el("td", { class: `c-${name}`, data: { label: t(`studies.${name}`) } }, cell(row)));
    return el("tr", { data: { id: row.id } }, name, cells);
  }

  /** What stands below a study's name. @param {any} row */
  about(row) {
    const facts = [row.name !== row.id && row.name, this.kind !== STUDIES && row.sampler && t("study.sampler", { name: row.sampler })].filter(Boolean);
    return facts.length > 0 && el("span", { class: "muted small" }, facts.join(" · "));
  }

  drawFoot() {
    const to = Math.min(this.offset + this.rows.length, this.total);
    const step = (/** @type {number} */ by, /** @type {string} */ label, /** @type {boolean} */ able) =>
      el("button", { disabled: !able, data: { key: label }, onclick: () => this.change({ offset: Math.max(0, this.offset + by) }) }, t(label));
    const words = t("runs.range", { from: count(this.offset + 1), to: count(to), total: count(this.total) });
    replace(this.foot, this.total > 0 && el("p", { class: "muted", role: "status" }, words),
      this.total > PAGE && [step(-PAGE, "runs.before", this.offset > 0), step(PAGE, "runs.after", to < this.total)]);
  }

  nothing() {
    if (this.search) return el("p", { class: "nothing" }, t("studies.noneFound"));
    return el("div", { class: "nothing" }, el("p", {}, t(this.kind.none, { folder: this.folder ?? "" })), el("code", {}, this.kind.command));
  }
}
