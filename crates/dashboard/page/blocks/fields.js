/** Inputs for the parameters of a layer. */

import { el } from "../dom.js";
import { words } from "../i18n.js";

/** @typedef {{name: string, type: string, default: any, about: string, optional?: boolean}} Parameter */

/**
 * A labelled input for a parameter.
 * @param {Parameter} parameter @param {any} value undefined: the default @param {(value: any) => void} changed @param {string} id
 */
export function parameterField(parameter, value, changed, id) {
  const about = words(`parameter.${parameter.name}`, parameter.about);
  const shown = value === undefined ? parameter.default : value;
  const input = el("input", { id, data: { parameter: parameter.name }, spellcheck: "false", autocomplete: "off", ...shape(parameter, shown), value: write(parameter, shown) });
  if (parameter.type === "boolean") input.checked = Boolean(shown);
  input.addEventListener("change", () => changed(parameter.type === "boolean" ? input.checked : read(parameter, input.value)));
  input.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => event.key === "Enter" && input.blur());
  return el("label", { class: `field ${parameter.type}`, for: id, title: about }, el("span", {}, parameter.name), input);
}

/** Whether it is worth a place on the closed block. @param {Parameter} parameter @param {any} value */
export function isPlain(parameter, value) {
  if (value === undefined || value === null) return false;
  return JSON.stringify(both(parameter, value)) === JSON.stringify(both(parameter, parameter.default));
}

/** @param {Parameter} parameter @param {any} value */
function both(parameter, value) {
  return parameter.type === "pair" && typeof value === "number" ? [value, value] : value;
}

/** @param {Parameter} parameter @param {any} shown */
function shape(parameter, shown) {
  if (parameter.type === "boolean") return { type: "checkbox" };
  const size = Math.min(30, Math.max(parameter.type === "json" ? 16 : 4, write(parameter, shown).length + 1));
  return { type: "text", inputmode: parameter.type === "json" ? "text" : "decimal", size };
}

/** A pair of equals is one number; others are `5 × 3`. @param {Parameter} parameter @param {any} value */
function write(parameter, value) {
  if (value === undefined || value === null) return "";
  if (parameter.type === "pair" && Array.isArray(value)) return value[0] === value[1] ? String(value[0]) : value.join(" × ");
  return parameter.type === "json" ? JSON.stringify(value) : String(value);
}

/** What was typed; what is no number goes to the server as it is, which says so. @param {Parameter} parameter @param {string} text */
function read(parameter, text) {
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  if (parameter.type === "pair") return readPair(trimmed);
  if (parameter.type === "json") return attempt(() => JSON.parse(trimmed), trimmed);
  return Number.isFinite(Number(trimmed)) ? Number(trimmed) : trimmed;
}

/** @param {string} text `5`, `5 × 3`, `5x3`, `[5, 3]` */
function readPair(text) {
  const sizes = text.replace(/[[\]]/g, "").split(/\s*[×x*,;\s]\s*/).filter(Boolean).map(Number);
  if (sizes.length === 0 || sizes.length > 2 || sizes.some((size) => !Number.isFinite(size))) return text;
  return sizes.length === 1 ? [sizes[0], sizes[0]] : sizes;
}

/** @param {() => any} parse @param {any} otherwise */
function attempt(parse, otherwise) {
  try {
    return parse();
  } catch {
    return otherwise;
  }
}
