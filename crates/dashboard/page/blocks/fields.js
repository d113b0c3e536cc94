/** Inputs of a block's parameters. Each gives its element and takes new values while the reader is elsewhere. */

import { el } from "../dom.js";
import { t } from "../i18n.js";
import { readPair, writePair } from "./layer.js";

/**
 * @typedef {object} Field
 * @property {HTMLElement} element
 * @property {(value: any) => void} show
 *
 * @typedef {object} Parameter
 * @property {string} name
 * @property {"pair" | "integer" | "number" | "boolean" | "json"} type
 * @property {any} default
 * @property {string} about
 */

/** Whether the reader is writing in it. @param {HTMLElement} input */
export function isBusy(input) {
  return document.activeElement === input && input instanceof HTMLInputElement && input.type !== "checkbox";
}

/**
 * @param {Parameter} parameter
 * @param {string} label
 * @param {string} about
 * @param {(value: any) => void} change with undefined for an empty one
 * @returns {Field}
 */
export function parameterField(parameter, label, about, change) {
  if (parameter.type === "boolean") return checkField(parameter, label, about, change);
  return textField(parameter, label, about, change);
}

/** @param {Parameter} parameter @param {string} label @param {string} about @param {(value: any) => void} change @returns {Field} */
function checkField(parameter, label, about, change) {
  const input = el("input", { type: "checkbox", data: { test: `param-${parameter.name}` }, onchange: () => change(input.checked) });
  const element = el("label", { class: "check param-check", title: about }, input, el("span", {}, label));
  const show = (/** @type {any} */ value) => {
    input.checked = value ?? parameter.default ?? false;
  };
  return { element, show };
}

/** @param {Parameter} parameter @param {string} label @param {string} about @param {(value: any) => void} change @returns {Field} */
function textField(parameter, label, about, change) {
  const isJson = parameter.type === "json";
  const input = el("input", {
    type: "text",
    class: isJson ? "mono wide" : "",
    inputmode: parameter.type === "integer" ? "numeric" : null,
    autocomplete: "off",
    spellcheck: "false",
    placeholder: parameter.name === "stride" && parameter.default === null ? t("blocks.asKernel") : null,
    data: { test: `param-${parameter.name}` },
  });
  const write = (/** @type {any} */ value) => {
    input.value = isJson ? (value === undefined ? "" : JSON.stringify(value)) : writePair(value);
  };
  let last = /** @type {any} */ (undefined);
  const take = () => {
    const value = read(parameter, input.value);
    input.setAttribute("aria-invalid", String(value === null));
    if (value !== null) change(value);
  };
  input.addEventListener("input", take);
  input.addEventListener("blur", () => {
    write(last);
    input.setAttribute("aria-invalid", "false");
  });
  input.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const by = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (!by || isJson || parameter.type === "number") return;
    const value = read(parameter, input.value);
    if (value === null || value === undefined) return;
    event.preventDefault();
    const next = Array.isArray(value) ? value.map((n) => Math.max(0, n + by)) : Math.max(0, value + by);
    write(next);
    take();
  });
  const element = el("label", { class: isJson ? "field param param-json" : "field param", title: about }, el("span", {}, label), input);
  const show = (/** @type {any} */ value) => {
    const shown = value === undefined ? parameter.default ?? undefined : value;
    last = shown;
    if (!isBusy(input)) write(shown);
  };
  return { element, show };
}

/**
 * @param {Parameter} parameter @param {string} text
 * @returns {any} undefined for an empty text, null for one that cannot be read
 */
function read(parameter, text) {
  if (text.trim() === "") return parameter.default === null && parameter.type !== "pair" ? null : undefined;
  if (parameter.type === "pair") return readPair(text);
  if (parameter.type === "json") return readJson(text);
  const number = Number(text);
  if (!Number.isFinite(number)) return null;
  return parameter.type === "integer" && !(Number.isInteger(number) && number >= 0) ? null : number;
}

/** @param {string} text */
function readJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
