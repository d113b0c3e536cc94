/** The list of runs: search, sort, pages, and a choice of runs to compare. */

import { events, get } from "./api.js";
import { complain, debounce, el, keepFocus, replace } from "./dom.js";
import { ago, count, decimal, moment, percent, short } from "./format.js";
import { t } from "./i18n.js";
import { isAbort, search } from "./api.js";
import { lastOffset, naturalOrder, offsetOf, orderTools, turned } from "./list_order.js";
import { setAddress } from "./router.js";
import { stateChip } from "./state.js";

const PAGE = 50;
/** Columns: name, key to sort by, what a row shows. @type {{name: string, sort?: string, cell: (row: any) => any}[]} */
const COLUMNS = [
  { name: "state", cell: stateChip },
  { name: "network", cell: (row) => row.network },
  { name: "data", cell: (row) => row.data },
  { name: "test_accuracy", sort: "test_accuracy", cell: (row) => percent(row.test_accuracy) },
  { name: "loss", sort: "loss", cell: (row) => decimal(row.loss) },
  { name: "epochs", sort: "n_epochs", cell: (row) => `${count(row.n_epochs)} / ${count(row.epochs_planned)}` },
  { name: "parameters", sort: "parameters", cell: (row) => count(row.parameters) },
  { name: "speed", cell: (row) => (row.images_per_s ? t("runs.perSecond", { n: short(row.images_per_s) }) : "–") },
  { name: "modified", sort: "modified", cell: (row) => el("time", { title: moment(row.modified) }, ago(row.modified)) },
];
const SORTS = ["modified", "name", "test_accuracy", "loss", "n_epochs", "parameters"];
/** Runs that are marked; kept while the reader is on other pages. */
const marked = new Set();

/** @param {HTMLElement} root @param {import("./router.js").Visit} visit */
export async function view(root, { query, signal }) {
  const view = new RunsList(root, query, signal);
  await view.load();
  events("/api/events", { run: (row) => view.changed(row), gone: () => view.reloadSoon() }, signal, () => view.reloadSoon());
}

class RunsList {
  /** @param {HTMLElement} root @param {URLSearchParams} query @param {AbortSignal} signal */
  constructor(root, query, signal) {
    this.root = root;
    this.signal = signal;
    this.search = query.get("search") ?? "";
    this.sort = SORTS.find((sort) => sort === query.get("sort")) ?? "modified";
    /** @type {import("./list_order.js").Order} */
    this.order = ["asc", "desc"].includes(query.get("order") ?? "") ? /** @type {any} */ (query.get("order")) : naturalOrder(this.sort);
    this.offset = offsetOf(query.get("offset"));
    /** @type {any[]} */
    this.rows = [];
    this.total = 0;
    this.reloadSoon = debounce(500, () => this.load());
    this.body = el("tbody");
    this.head = el("tr");
    this.foot = el("div", { class: "pages" });
    this.compare = el("div", { class: "compare" });
    this.empty = el("div");
    this.tools = orderTools(SORTS, "sort", (to) => this.change(to));
    replace(root, el("h1", {}, t("nav.runs")), this.toolbar(),
      el("table", { class: "runs" }, el("caption", { class: "visually-hidden" }, t("nav.runs")), el("thead", {}, this.head), this.body),
      this.empty, this.foot);
  }

  toolbar() {
    const typed = debounce(200, () => this.change({ search: box.value }));
    const box = el("input", { type: "search", id: "search", value: this.search, placeholder: t("runs.search"), "aria-label": t("runs.search"), oninput: typed });
    return el("div", { class: "toolbar" }, box, this.tools.node, this.compare);
  }

  /** @param {Partial<{search: string, sort: string, order: import("./list_order.js").Order, offset: number}>} to */
  change(to) {
    Object.assign(this, { offset: 0 }, to);
    const plain = { search: this.search, sort: this.sort, order: this.order, offset: this.offset || "" };
    setAddress(`#/runs${search(plain)}`);
    return this.load();
  }

  async load() {
    try {
      const query = { search: this.search, sort: this.sort, order: this.order, offset: this.offset, limit: PAGE };
      const { total, runs } = await get("/api/runs", { query, signal: this.signal });
      if (query.search !== this.search || query.sort !== this.sort || query.order !== this.order || query.offset !== this.offset) return;
      if (total > 0 && this.offset >= total) {
        await this.change({ offset: lastOffset(total, PAGE) });
        return;
      }
      this.total = total;
      this.rows = runs;
      keepFocus(this.root, () => this.draw());
    } catch (error) {
      if (!isAbort(error)) complain(error);
    }
  }

  /** A run changed: its row follows; one that is not here may belong here. @param {any} row */
  changed(row) {
    const idx = this.rows.findIndex(({ id }) => id === row.id);
    if (idx < 0) return this.reloadSoon();
    this.rows[idx] = row;
    keepFocus(this.root, () => this.body.children[idx].replaceWith(this.line(row)));
  }

  draw() {
    this.tools.show(this.sort, this.order);
    replace(this.head, el("td"), this.columnHead("name", "name"), COLUMNS.map(({ name, sort }) => this.columnHead(name, sort)));
    replace(this.body, this.rows.map((row) => this.line(row)));
    replace(this.empty, this.total === 0 && this.nothing());
    this.drawFoot();
    this.drawCompare();
  }

  /** @param {string} name @param {string} [sort] */
  columnHead(name, sort) {
    const here = sort !== undefined && sort === this.sort;
    const order = here ? turned(this.order) : naturalOrder(sort ?? "");
    const arrow = here ? el("span", { "aria-hidden": "true" }, this.order === "desc" ? " ↓" : " ↑") : "";
    const sorted = here ? (this.order === "desc" ? "descending" : "ascending") : null;
    const inner = sort ? el("button", { class: "sort-head", data: { key: sort }, onclick: () => this.change({ sort, order }) }, t(`runs.${name}`), arrow) : t(`runs.${name}`);
    return el("th", { scope: "col", class: `c-${name}`, "aria-sort": sorted }, inner);
  }

  /** @param {any} row */
  line(row) {
    const box = el("input", { type: "checkbox", data: { key: "mark" }, checked: marked.has(row.id), "aria-label": t("runs.mark", { id: row.id }), onchange: () => this.mark(row.id, box.checked) });
    const name = el("th", { scope: "row", class: "c-name" }, el("a", { href: `#/runs/${encodeURIComponent(row.id)}`, data: { key: "open" } }, row.id));
    const cells = COLUMNS.map(({ name, cell }) => el("td", { class: `c-${name}`, data: { label: t(`runs.${name}`) } }, cell(row)));
    return el("tr", { data: { id: row.id } }, el("td", { class: "c-mark" }, box), name, cells);
  }

  /** @param {string} id @param {boolean} on */
  mark(id, on) {
    if (on) marked.add(id);
    else marked.delete(id);
    this.drawCompare();
  }

  drawCompare() {
    const ids = [...marked];
    const address = `#/compare?${new URLSearchParams(ids.map((id) => ["run", id]))}`;
    replace(this.compare, ids.length >= 2 && el("a", { class: "button", href: address, data: { key: "compare" } }, t("runs.compare", { n: ids.length })),
      ids.length === 1 && el("span", { class: "muted" }, t("runs.markMore")));
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
    if (this.search) return el("p", { class: "nothing" }, t("runs.noneFound"));
    return el("div", { class: "nothing" }, el("p", {}, t("runs.none")), el("a", { class: "button main", href: "#/blocks" }, t("runs.begin")));
  }
}
