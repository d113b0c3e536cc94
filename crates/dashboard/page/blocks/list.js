/** The network as a list of blocks. */

import { announce, el, replace } from "../dom.js";
import { t } from "../i18n.js";
import { blockView, showAnswer } from "./block.js";
import { draggable } from "./drag.js";
import * as model from "./model.js";
import { store } from "./store.js";
import { volume } from "./volume.js";
import { shape } from "../format.js";

export class BlockList {
  /** @param {any[]} kinds the palette */
  constructor(kinds) {
    this.kinds = new Map(kinds.map((kind) => [kind.kind, kind]));
    /** Positions of blocks that show all. @type {Set<number>} */
    this.opened = new Set();
    this.list = el("ol", { class: "block-list", "aria-label": t("blocks.network") });
    this.start = el("div", { class: "block-input" });
    this.node = el("div", {}, this.start, this.list);
  }

  /** Adds after the last block, or where it falls. @param {any} layer @param {number} [at] */
  add(layer, at = model.nodesOf(store.run).length) {
    this.opened.clear();
    store.edit(model.insert(store.run, at, layer));
    announce(t("block.added", { kind: model.kindOf(layer), n: at + 1 }));
    this.list.children[at]?.scrollIntoView({ block: "nearest" });
  }

  draw() {
    const nodes = model.nodesOf(store.run ?? {});
    const held = focusKey(this.list);
    const input = store.run?.network?.input ?? null;
    replace(this.start, el("span", {}, "input"), volume(input), el("output", { class: "shape" }, input ? shape(input) : "–"));
    replace(this.list, nodes.map((node, at) => this.item(node, at, nodes)));
    if (held) /** @type {HTMLElement | null} */ (this.list.querySelector(held))?.focus();
    this.answer();
  }

  /** Shapes and errors of the last answer, onto the blocks that stand there. */
  answer() {
    const { answer } = store;
    if (!answer) return;
    const sums = { parameters: answer.parameters, multiply_adds: answer.multiply_adds };
    const nodes = answer.nodes ?? [];
    [...this.list.children].forEach((item, at) => {
      const own = nodes[at] && answer.error?.node === at && !nodes[at].error ? { ...nodes[at], error: answer.error.message } : nodes[at];
      showAnswer(item, own, sums);
    });
  }

  /** @param {any} node @param {number} at @param {any[]} nodes */
  item(node, at, nodes) {
    const kind = this.kinds.get(model.kindOf(node.layer));
    const { item, grip } = blockView(node, at, kind, nodes, this.edits(), this.opened.has(at));
    draggable(grip, { list: () => this.list, ghost: model.kindOf(node.layer), touch: true, drop: (to) => this.move(at, to > at ? to - 1 : to) });
    return item;
  }

  /** @returns {import("./block.js").BlockEdits} */
  edits() {
    const { run } = store;
    return {
      parameter: (at, name, value) => store.edit(model.setLayer(run, at, model.withParameter(model.nodesOf(run)[at].layer, name, value))),
      rename: (at, name) => store.edit(model.rename(run, at, name)),
      addInput: (at, source) => store.edit(model.addInput(run, at, source)),
      setInputs: (at, inputs) => store.edit(model.setInputs(run, at, inputs)),
      remove: (at) => this.remove(at),
      step: (at, by) => this.move(at, at + by),
      open: (at, open) => this.open(at, open),
    };
  }

  /** @param {number} at */
  remove(at) {
    this.opened.clear();
    store.edit(model.remove(store.run, at));
    announce(t("block.removed", { n: at + 1 }));
    const last = this.list.children.length - 1;
    this.focusGrip(Math.min(at, last));
  }

  /** @param {number} from @param {number} to */
  move(from, to) {
    if (to < 0 || to >= model.nodesOf(store.run).length || to === from) return;
    this.opened.clear();
    store.edit(model.move(store.run, from, to));
    announce(t("block.moved", { n: to + 1 }));
    this.focusGrip(to);
  }

  /** @param {number} at @param {boolean} open */
  open(at, open) {
    if (open) this.opened.add(at);
    else this.opened.delete(at);
    this.draw();
  }

  /** @param {number} at */
  focusGrip(at) {
    /** @type {HTMLElement | null} */ (this.list.children[at]?.querySelector(".grip"))?.focus();
  }
}

/** A selector of the focused element that outlives a fresh drawing. @param {Element} list */
function focusKey(list) {
  const focused = document.activeElement;
  if (!(focused instanceof HTMLElement) || !list.contains(focused)) return null;
  if (focused.id) return `#${CSS.escape(focused.id)}`;
  return focused.dataset.focus ? `[data-focus="${focused.dataset.focus}"]` : null;
}
