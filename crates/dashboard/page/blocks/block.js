/** One block of the network. */

import { el } from "../dom.js";
import { count, short } from "../format.js";
import { t, words } from "../i18n.js";
import { isPlain, parameterField } from "./fields.js";
import { kindOf, parametersOf } from "./model.js";
import { volume } from "./volume.js";

/**
 * @typedef {object} BlockEdits
 * @property {(at: number, name: string, value: any) => void} parameter
 * @property {(at: number, name: string) => void} rename
 * @property {(at: number, source: string | number) => void} addInput
 * @property {(at: number, inputs: string[]) => void} setInputs
 * @property {(at: number) => void} remove
 * @property {(at: number, by: number) => void} step
 * @property {(at: number, open: boolean) => void} open
 */

/**
 * @param {any} node @param {number} at @param {any} kind of the palette @param {any[]} nodes all of the network
 * @param {BlockEdits} edits @param {boolean} isOpen
 */
export function blockView(node, at, kind, nodes, edits, isOpen) {
  const name = kindOf(node.layer);
  const called = node.name ?? String(at);
  const grip = el("button", { class: "grip", title: t("block.gripAbout"), "aria-label": t("block.grip", { name: called, kind: name, n: at + 1 }), data: { focus: `grip-${at}` }, onkeydown: (/** @type {KeyboardEvent} */ event) => gripKey(event, at, edits) }, "⠿");
  const item = el("li", { class: "block", data: { kind: name, group: kind?.group ?? "", at: String(at) } },
    grip,
    el("div", { class: "block-body" },
      el("div", { class: "block-title" }, el("strong", { title: words(`kind.${name}`, kind?.about ?? "") }, name), el("span", { class: "called" }, called), node.inputs && el("span", { class: "reads" }, "← ", node.inputs.join(", "))),
      fieldsRow(node, at, kind, edits, isOpen),
      more(node, at, kind, nodes, edits, isOpen),
      el("p", { class: "block-error", id: `block-error-${at}`, hidden: true })),
    el("div", { class: "block-out" }, el("span", { class: "volume-place" }), el("output", { class: "shape" }), el("span", { class: "costs" })),
    el("button", { class: "quiet icon remove", title: t("block.remove"), "aria-label": t("block.removeNamed", { name: called }), onclick: () => edits.remove(at) }, "×"));
  return { item, grip };
}

/** Parameters that differ from their default, or must be there. @param {any} node @param {number} at @param {any} kind @param {BlockEdits} edits @param {boolean} isOpen */
function fieldsRow(node, at, kind, edits, isOpen) {
  const values = parametersOf(node.layer);
  const shown = (kind?.parameters ?? []).filter((/** @type {any} */ one) => isOpen || (!one.optional && one.default === null) || (one.name in values && !isPlain(one, values[one.name])));
  return el("div", { class: "fields" }, shown.map((/** @type {any} */ one) => parameterField(one, values[one.name], (value) => edits.parameter(at, one.name, value), `p-${at}-${one.name}`)));
}

/** Name and inputs, behind a switch. @param {any} node @param {number} at @param {any} kind @param {any[]} nodes @param {BlockEdits} edits @param {boolean} isOpen */
function more(node, at, kind, nodes, edits, isOpen) {
  const details = el("details", { class: "more", open: isOpen }, el("summary", { data: { focus: `more-${at}` } }, t("block.more")));
  details.addEventListener("toggle", () => details.open !== isOpen && edits.open(at, details.open));
  if (!isOpen) return details;
  const name = el("input", { type: "text", id: `name-${at}`, value: node.name ?? "", placeholder: String(at), onchange: () => edits.rename(at, name.value.trim()) });
  const inputs = node.inputs ?? [];
  const source = el("select", { id: `inputs-${at}`, onchange: () => source.value !== "" && edits.addInput(at, source.value === "input" ? "input" : Number(source.value)) },
    el("option", { value: "" }, t(inputs.length ? "block.addInput" : "block.before")), el("option", { value: "input" }, "input"),
    nodes.slice(0, at).map((other, idx) => el("option", { value: String(idx) }, `${other.name ?? idx} · ${kindOf(other.layer)}`)));
  const chip = (/** @type {string} */ input, /** @type {number} */ idx) => el("button", { class: "chip", "aria-label": t("block.dropInput", { input }), onclick: () => edits.setInputs(at, inputs.filter((/** @type {string} */ _, /** @type {number} */ other) => other !== idx)) }, input, " ×");
  details.append(el("div", { class: "fields" }, el("label", { class: "field", for: `name-${at}` }, el("span", {}, t("block.name")), name),
    el("div", { class: "field" }, el("label", { for: `inputs-${at}` }, t("block.inputs")), inputs.map(chip), source)));
  return details;
}

/** Shape, costs and reason, when the server has spoken. @param {HTMLElement} item @param {any} node of the answer @param {{parameters: number, multiply_adds: number}} sums */
export function showAnswer(item, node, sums) {
  const error = node?.error ?? null;
  const reason = /** @type {HTMLElement} */ (item.querySelector(".block-error"));
  item.classList.toggle("bad", error !== null);
  item.classList.toggle("unknown", !node?.output && error === null);
  reason.hidden = error === null;
  reason.textContent = error ? `⚠ ${error}` : "";
  item.setAttribute("aria-invalid", String(error !== null));
  item.querySelector(".volume-place")?.replaceChildren(volume(node?.dims ?? null));
  /** @type {HTMLElement} */ (item.querySelector(".shape")).textContent = node?.output ?? "–";
  item.querySelector(".costs")?.replaceChildren(...(node?.output ? costs(node, sums) : []));
}

/** @param {any} node @param {{parameters: number, multiply_adds: number}} sums */
function costs(node, sums) {
  const line = (/** @type {"parameters" | "multiply_adds"} */ key, /** @type {string} */ label) => {
    const share = sums[key] > 0 ? node[key] / sums[key] : 0;
    return el("span", { class: "cost", title: `${t(label)}: ${count(node[key])}`, css: { "--share": share }, data: { cost: key } }, el("span", {}, t(`${label}Short`)), " ", node[key] ? short(node[key]) : "0");
  };
  return [line("parameters", "layers.parameters"), line("multiply_adds", "layers.multiplyAdds")];
}

/** @param {KeyboardEvent} event @param {number} at @param {BlockEdits} edits */
function gripKey(event, at, edits) {
  const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  if (by) edits.step(at, by);
  else if (event.key === "Delete" || event.key === "Backspace") edits.remove(at);
  else return;
  event.preventDefault();
}
