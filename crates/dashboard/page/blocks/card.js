/** One block of the network: its name, parameters and inputs, and what the check says of it. */

import { el, replace } from "../dom.js";
import { count, short } from "../format.js";
import { t } from "../i18n.js";
import { parameterField, isBusy } from "./fields.js";
import { icon } from "./icons.js";
import { inputsField } from "./inputs.js";
import { isNameFree, kindOf, nameOf, reason, renameInputs, valuesOf, withValue, writePair } from "./layer.js";
import { kindLabel, parameterAbout, parameterLabel } from "./words.js";

/** Parameters that are in sight though they have defaults. */
const IN_SIGHT = new Set(["stride", "padding"]);

/**
 * @typedef {object} Card
 * @property {HTMLElement} element
 * @property {string} kind
 * @property {(at: number) => void} update
 *
 * @typedef {object} Actions
 * @property {(id: number, by: number) => void} move
 * @property {(id: number) => void} remove
 * @property {(id: number) => void} duplicate
 * @property {(id: number) => void} select
 */

/**
 * @param {import("./store.js").Store} store
 * @param {number} id
 * @param {any} block of the palette; undefined for a kind it does not know
 * @param {string} kind
 * @param {Actions} actions
 * @returns {Card}
 */
export function card(store, id, block, kind, actions) {
  let at = 0;
  const here = () => store.ids.indexOf(id);
  const name = el("input", { class: "name mono", type: "text", size: 6, autocomplete: "off", spellcheck: "false", "aria-label": t("blocks.name"), data: { test: "block-name" } });
  /** The name by which others read the block while its own is taken. @type {string | null} */
  let readAs = null;
  name.addEventListener("change", () => (readAs = rename(store, here(), name.value.trim(), readAs)));
  name.addEventListener("blur", () => {
    const node = store.nodes[here()];
    if (node) name.value = nameOf(node, here());
  });
  const number = el("span", { class: "place", "aria-hidden": "true" });
  const output = el("output", { class: "shape mono", data: { test: "block-output" }, title: t("blocks.output") });
  const cost = el("span", { class: "cost" });
  const error = el("p", { class: "block-error", role: "alert", hidden: true, data: { test: "block-error" } });
  const parts = fields(store, id, block, here);
  const inputs = inputsField(store, here, block?.group === "merge");
  const summary = el("summary", {});
  const more = el("details", { class: "more" }, summary, el("div", { class: "params" }, parts.hidden.map((part) => part.field.element), block?.group === "merge" ? null : inputs.element));
  const shown = [...parts.shown.map((part) => part.field.element), block?.group === "merge" ? inputs.element : null];
  const buttons = el("div", { class: "block-buttons" },
    button("up", t("blocks.up"), () => actions.move(id, -1)),
    button("down", t("blocks.down"), () => actions.move(id, 1)),
    button("duplicate", t("blocks.duplicate"), () => actions.duplicate(id)),
    button("remove", t("blocks.remove"), () => actions.remove(id)));
  const grip = el("span", { class: "grip", "aria-hidden": "true", title: t("blocks.drag") }, "⠿");
  const element = el("li", { class: ["block", `group-${block?.group ?? "unknown"}`], onfocusin: () => actions.select(id), onclick: () => actions.select(id) },
    el("div", { class: "block-head" }, grip, number, el("strong", { class: "kind" }, kindLabel(kind)), name, el("div", { class: "facts" }, cost, output), buttons),
    el("div", { class: "block-body" }, el("div", { class: "params" }, shown), more), error);
  grip.addEventListener("pointerdown", () => (element.draggable = true));
  grip.addEventListener("pointerup", () => (element.draggable = false));
  element.addEventListener("dragend", () => (element.draggable = false));

  /** @param {number} place */
  function update(place) {
    at = place;
    const node = store.nodes[at];
    const nodeName = nameOf(node, at);
    element.dataset.test = `block-${nodeName}`;
    element.setAttribute("aria-label", t("blocks.card", { n: at + 1, kind: kindLabel(kind), name: nodeName }));
    number.textContent = String(at + 1);
    if (!isBusy(name)) name.value = nodeName;
    const values = valuesOf(node.layer);
    for (const part of [...parts.shown, ...parts.hidden]) part.field.show(values[part.parameter.name]);
    inputs.update(at);
    summary.textContent = [t("blocks.more"), ...unusual(parts.hidden, values, block?.group === "merge" ? undefined : node.inputs)].join(" · ");
    more.hidden = parts.hidden.length === 0 && at === 0 && block?.group !== "merge" || (parts.hidden.length === 0 && block?.group === "merge");
    showAnswer(store.answer?.nodes[at], nodeName);
  }

  /** @param {any} said @param {string} nodeName */
  function showAnswer(said, nodeName) {
    const isOfThis = said && said.name === nodeName && said.kind === kind;
    const general = store.answer?.error;
    const wrong = isOfThis && said.error ? said.error : general && general.node === at ? general.message : null;
    element.classList.toggle("is-wrong", Boolean(wrong));
    const text = wrong ? reason(wrong) : "";
    if (error.textContent !== text) error.textContent = text;
    error.hidden = !wrong;
    element.classList.toggle("has-output", Boolean(isOfThis && said.output));
    output.textContent = isOfThis && said.output ? said.output : "–";
    replace(cost, ...(isOfThis && said.output ? costs(said) : []));
  }

  return { element, kind, update };
}

/** @param {any} said */
function costs(said) {
  const parts = [];
  if (said.parameters) parts.push(el("span", { title: t("blocks.parametersOf", { n: count(said.parameters) }) }, t("blocks.parametersShort", { n: short(said.parameters) })));
  if (said.multiply_adds) parts.push(el("span", { title: t("blocks.multiplyAddsOf", { n: count(said.multiply_adds) }) }, t("blocks.multiplyAddsShort", { n: short(said.multiply_adds) })));
  return parts;
}

/** @param {string} what @param {string} label @param {() => void} act */
function button(what, label, act) {
  return el("button", { type: "button", class: "quiet icon", title: label, "aria-label": label, data: { test: `block-${what}`, act: what }, onclick: act }, icon(what));
}

/**
 * What is out of sight and not as usual, in short.
 * @param {any[]} parts @param {Record<string, any>} values @param {string[] | undefined} inputs
 */
function unusual(parts, values, inputs) {
  const differs = (/** @type {any} */ { parameter }) => values[parameter.name] !== undefined && writePair(values[parameter.name]) !== writePair(parameter.default);
  const said = parts.filter(differs).map(({ parameter }) => `${parameterLabel(parameter)} = ${writePair(values[parameter.name])}`);
  return inputs ? [...said, t("blocks.reads", { name: inputs.join(", ") })] : said;
}

/** @param {import("./store.js").Store} store @param {number} id @param {any} block @param {() => number} here */
function fields(store, id, block, here) {
  const all = (block?.parameters ?? []).map((/** @type {any} */ parameter) => {
    const change = (/** @type {any} */ value) => store.edit(`${id} ${parameter.name}`, (run) => {
      const node = run.network.node[here()];
      node.layer = withValue(node.layer, parameter.name, value);
    });
    return { parameter, field: parameterField(parameter, parameterLabel(parameter), parameterAbout(parameter), change) };
  });
  const isShown = (/** @type {any} */ part) => part.parameter.default === null || IN_SIGHT.has(part.parameter.name) || block.group === "shape";
  return { shown: all.filter(isShown), hidden: all.filter((/** @type {any} */ part) => !isShown(part)) };
}

/**
 * Others go on to read the block by its new name, unless that is another block's.
 * @param {import("./store.js").Store} store @param {number} at @param {string} to
 * @param {string | null} readAs by which name they read it if its own is taken
 * @returns {string | null} the same from then on
 */
function rename(store, at, to, readAs) {
  const from = nameOf(store.nodes[at], at);
  if (to === "" || to === from) {
    store.tell("run");
    return readAs;
  }
  const read = isNameFree(store.nodes, at, from) ? from : readAs;
  const isRead = read !== null && isNameFree(store.nodes, at, read);
  const isFree = isNameFree(store.nodes, at, to);
  const isMade = store.edit("", (run) => {
    run.network.node[at].name = to;
    if (isRead && isFree) renameInputs(run.network.node, read, to);
  });
  if (!isMade) return readAs;
  return isFree ? null : read;
}
