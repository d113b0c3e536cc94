/** What a block reads: one block, or several for one that merges. */

import { el, replace } from "../dom.js";
import { t } from "../i18n.js";
import { before, nameOf } from "./layer.js";

/**
 * @param {import("./store.js").Store} store
 * @param {() => number} here
 * @param {boolean} isMerge
 */
export function inputsField(store, here, isMerge) {
  const list = el("div", { class: "inputs-list" });
  const element = el("div", { class: "field inputs", role: "group", "aria-label": t("blocks.inputs"), data: { test: "block-inputs" } }, el("span", { "aria-hidden": "true" }, t("blocks.inputs")), list);
  let last = "";

  /** @param {string[] | undefined} inputs */
  const set = (inputs) => {
    const isMade = store.edit("", (run) => {
      const node = run.network.node[here()];
      if (inputs) node.inputs = inputs;
      else delete node.inputs;
    });
    if (isMade) return;
    last = "";
    update(here());
  };

  /** @param {number} at */
  function update(at) {
    const nodes = store.nodes;
    const names = ["input", ...nodes.slice(0, at).map(nameOf)];
    const own = nodes[at].inputs;
    const key = JSON.stringify([names, own, before(nodes, at)]);
    if (key === last) return;
    last = key;
    const focused = [...list.children].findIndex((child) => child.contains(document.activeElement));
    replace(list, ...(isMerge ? many(names, own ?? [before(nodes, at)]) : [one(names, own)]));
    if (focused >= 0) list.children[Math.min(focused, list.children.length - 1)]?.querySelector("select, button")?.focus();
  }

  /** @param {string[]} names @param {string[] | undefined} own */
  function one(names, own) {
    const select = choice(names, own?.[0] ?? "", (value) => set(value === "" ? undefined : [value]), t("blocks.previous"));
    return el("span", { class: "input-choice" }, select);
  }

  /** @param {string[]} names @param {string[]} own */
  function many(names, own) {
    const choices = own.map((input, place) => el("span", { class: "input-choice" },
      choice(names, input, (value) => set(own.with(place, value))),
      own.length > 1 ? el("button", { type: "button", class: "quiet icon", "aria-label": t("blocks.removeInput", { name: input }), onclick: () => set(own.toSpliced(place, 1)) }, "×") : null));
    const next = names.findLast((name) => !own.includes(name)) ?? names[names.length - 1];
    const add = el("span", {}, el("button", { type: "button", class: "quiet", data: { test: "add-input" }, onclick: () => set([...own, next]) }, `+ ${t("blocks.input")}`));
    return [...choices, add];
  }

  return { element, update };
}

/** @param {string[]} names @param {string} value @param {(value: string) => void} change @param {string} [none] */
function choice(names, value, change, none) {
  const options = value && !names.includes(value) ? [...names, value] : names;
  const select = el("select", { class: "mono", "aria-label": t("blocks.input"), data: { test: "block-input" }, onchange: () => change(select.value) },
    none ? el("option", { value: "" }, none) : null,
    options.map((name) => el("option", { value: name }, name)));
  select.value = value;
  return select;
}
