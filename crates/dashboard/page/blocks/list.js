/** The blocks in their order: added, moved by drag or by buttons, removed. */

import { announce, el } from "../dom.js";
import { t } from "../i18n.js";
import { card } from "./card.js";
import { freeName, keepNames, keepRead, kindOf, nameOf, removeNode } from "./layer.js";

/** What a drag carries. */
export const KIND_TYPE = "application/x-danlu-kind";
const BLOCK_TYPE = "application/x-danlu-block";

/** @param {import("./store.js").Store} store @param {Map<string, any>} palette blocks by kind */
export function blockList(store, palette) {
  const element = el("ol", { class: "blocks", "aria-label": t("blocks.list"), data: { test: "blocks" } });
  const empty = el("p", { class: "empty" }, t("blocks.empty"));
  const mark = el("li", { class: "drop-mark", "aria-hidden": "true" });
  /** @type {Map<number, import("./card.js").Card>} */
  const cards = new Map();
  let selected = 0;

  const actions = { move, remove, duplicate, select };

  function render() {
    for (const [id, old] of cards) {
      const at = store.ids.indexOf(id);
      if (at >= 0 && kindOf(store.nodes[at].layer) === old.kind) continue;
      old.element.remove();
      cards.delete(id);
    }
    store.nodes.forEach((node, at) => {
      const id = store.ids[at];
      const kind = kindOf(node.layer);
      if (!cards.has(id)) cards.set(id, card(store, id, palette.get(kind), kind, actions));
      const { element: item } = /** @type {import("./card.js").Card} */ (cards.get(id));
      item.dataset.id = String(id);
      if (element.children[at] !== item) element.insertBefore(item, element.children[at] ?? null);
      cards.get(id)?.update(at);
    });
    empty.hidden = store.nodes.length > 0;
    select(store.ids.includes(selected) ? selected : 0);
  }

  /** @param {number} id */
  function select(id) {
    selected = id;
    for (const [other, { element: item }] of cards) item.classList.toggle("is-selected", other === id);
  }

  /** @param {string} kind @param {number} [at] behind the chosen block, else at the end */
  function add(kind, at) {
    const chosen = store.ids.indexOf(selected);
    const place = at ?? (chosen >= 0 ? chosen + 1 : store.nodes.length);
    const name = freeName(store.nodes, kind);
    const example = palette.get(kind)?.example ?? kind;
    const isMade = store.edit("", (run) => {
      keepRead(run.network.node, place);
      run.network.node.splice(place, 0, { name, layer: structuredClone(example) });
    });
    if (!isMade) return;
    const id = store.ids[place];
    select(id);
    cards.get(id)?.element.scrollIntoView({ block: "nearest" });
    announce(t("blocks.added", { name, n: place + 1 }));
  }

  /** @param {number} id @param {number} by */
  function move(id, by) {
    const from = store.ids.indexOf(id);
    const to = from + by;
    if (to < 0 || to >= store.nodes.length) return;
    moveTo(from, to);
    cards.get(id)?.element.querySelector(by < 0 ? '[data-act="up"]' : '[data-act="down"]')?.focus();
  }

  /** @param {number} from @param {number} to */
  function moveTo(from, to) {
    const name = nameOf(store.nodes[from], from);
    const isMade = store.edit("", (run) => {
      keepNames(run.network.node, Math.min(from, to), Math.max(from, to));
      const [node] = run.network.node.splice(from, 1);
      run.network.node.splice(to, 0, node);
    });
    if (isMade) announce(t("blocks.moved", { name, n: to + 1 }));
  }

  /** @param {number} id */
  function remove(id) {
    const at = store.ids.indexOf(id);
    const name = nameOf(store.nodes[at], at);
    if (!store.edit("", (run) => removeNode(run.network.node, at))) return;
    const next = store.ids[Math.min(at, store.ids.length - 1)];
    /** @type {any} */ (cards.get(next)?.element.querySelector('[data-act="remove"]'))?.focus();
    announce(t("blocks.removed", { name }));
  }

  /** @param {number} id */
  function duplicate(id) {
    const at = store.ids.indexOf(id);
    const name = freeName(store.nodes, kindOf(store.nodes[at].layer));
    const isMade = store.edit("", (run) => {
      const copy = structuredClone(run.network.node[at]);
      keepRead(run.network.node, at + 1);
      run.network.node.splice(at + 1, 0, { ...copy, name });
    });
    if (isMade) announce(t("blocks.added", { name, n: at + 2 }));
  }

  drops(element, mark, (event, at) => {
    const kind = event.dataTransfer?.getData(KIND_TYPE);
    if (kind) return add(kind, at);
    const from = store.ids.indexOf(Number(event.dataTransfer?.getData(BLOCK_TYPE)));
    if (from < 0) return undefined;
    const to = at > from ? at - 1 : at;
    return to === from ? undefined : moveTo(from, to);
  });
  return { element: el("div", { class: "blocks-holder" }, element, empty), render, add };
}

/** @param {HTMLElement} list @param {HTMLElement} mark @param {(event: DragEvent, at: number) => void} drop */
function drops(list, mark, drop) {
  const items = () => /** @type {HTMLElement[]} */ ([...list.children].filter((child) => child !== mark));
  const place = (/** @type {DragEvent} */ event) => {
    const at = items().findIndex((item) => {
      const box = item.getBoundingClientRect();
      return event.clientY < box.top + box.height / 2;
    });
    return at < 0 ? items().length : at;
  };
  const isOurs = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.some((type) => type === KIND_TYPE || type === BLOCK_TYPE);
  list.addEventListener("dragstart", (event) => {
    const item = /** @type {HTMLElement} */ (event.target);
    if (!item.dataset?.id || !event.dataTransfer) return;
    event.dataTransfer.setData(BLOCK_TYPE, item.dataset.id);
    event.dataTransfer.effectAllowed = "move";
    item.classList.add("is-dragged");
  });
  list.addEventListener("dragover", (event) => {
    if (!isOurs(event)) return;
    event.preventDefault();
    list.insertBefore(mark, items()[place(event)] ?? null);
  });
  list.addEventListener("dragleave", (event) => {
    if (!list.contains(/** @type {Node | null} */ (event.relatedTarget))) mark.remove();
  });
  list.addEventListener("dragend", (event) => {
    mark.remove();
    /** @type {HTMLElement} */ (event.target).classList?.remove("is-dragged");
  });
  list.addEventListener("drop", (event) => {
    if (!isOurs(event)) return;
    event.preventDefault();
    const at = place(event);
    mark.remove();
    drop(event, at);
  });
}
