/**
 * Elements from plain values. Text goes in as text nodes only, so that no name from a file becomes markup.
 */

import { isAbort } from "./api.js";
import { t } from "./i18n.js";

/** @typedef {Node | string | number | null | undefined | false | Child[]} Child */

const SVG = "http://www.w3.org/2000/svg";

/**
 * An element: `on…` are listeners, `data` its dataset, `css` its custom properties, the rest attributes.
 * @param {string} tag
 * @param {Record<string, any>} [props]
 * @param {...Child} children
 * @returns {any}
 */
export function el(tag, props = {}, ...children) {
  return fill(document.createElement(tag), props, children);
}

/**
 * The same for a drawing.
 * @param {string} tag
 * @param {Record<string, any>} [props]
 * @param {...Child} children
 * @returns {any}
 */
export function svg(tag, props = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), props, children);
}

/** @param {Element} parent @param {...Child} children what it holds from then on */
export function replace(parent, ...children) {
  parent.replaceChildren();
  append(parent, children);
}

/**
 * Draws anew; what had the focus gives it to what has the same `data-key`, in the same `data-id` if it was in one.
 * @param {Element} root @param {() => void} draw
 */
export function keepFocus(root, draw) {
  const held = /** @type {HTMLElement | null} */ (root.contains(document.activeElement) ? document.activeElement : null);
  const key = held?.dataset.key;
  const id = /** @type {HTMLElement | null | undefined} */ (held?.closest("[data-id]"))?.dataset.id;
  draw();
  if (key === undefined || held?.isConnected) return;
  const place = id === undefined ? "" : `[data-id="${CSS.escape(id)}"] `;
  /** @type {HTMLElement | null} */ (root.querySelector(`${place}[data-key="${CSS.escape(key)}"]`))?.focus({ preventScroll: true });
}

/** Draws buttons anew; where one had the focus, the first has it then. @param {Element} buttons @param {...Child} children */
export function replaceButtons(buttons, ...children) {
  const isHeld = buttons.contains(document.activeElement);
  replace(buttons, ...children);
  if (isHeld) /** @type {HTMLElement | null} */ (buttons.querySelector("a, button"))?.focus();
}

/**
 * Puts words in place of buttons.
 * @param {Element} buttons @param {string} words @param {boolean} isHeld whether one of the buttons had the focus, which it loses when disabled
 */
export function replaceByWords(buttons, words, isHeld) {
  const isElsewhere = document.activeElement !== document.body && !buttons.contains(document.activeElement);
  const asked = el("span", { class: "muted", tabindex: "-1" }, words);
  replace(buttons, asked);
  if (isHeld && !isElsewhere) asked.focus({ preventScroll: true });
}

/** @param {Element} node @param {Record<string, any>} props @param {Child[]} children */
function fill(node, props, children) {
  for (const [name, value] of Object.entries(props)) set(node, name, value);
  append(node, children);
  return node;
}

/** @param {any} node @param {string} name @param {any} value */
function set(node, name, value) {
  if (value === null || value === undefined || value === false) return;
  if (name === "class") node.setAttribute("class", Array.isArray(value) ? value.filter(Boolean).join(" ") : value);
  else if (name === "text") node.append(String(value));
  else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
  else if (name === "data" || name === "dataset") Object.assign(node.dataset, value);
  else if (name === "css") for (const key in value) node.style.setProperty(key, String(value[key]));
  else if (name === "value" || name === "checked" || name === "selected" || name === "indeterminate") node[name] = value;
  else node.setAttribute(name, value === true ? "" : String(value));
}

/** @param {Element} parent @param {Child[]} children */
function append(parent, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (Array.isArray(child)) append(parent, child);
    else parent.append(child instanceof Node ? child : String(child));
  }
}

/** Says it to a screen reader without moving the focus. @param {string} text */
export function announce(text) {
  const live = document.getElementById("live");
  if (live) live.textContent = text;
}

/** Shows an error for a while, unless it only says that the page has moved on. @param {unknown} error */
export function complain(error) {
  if (isAbort(error)) return;
  const text = error instanceof Error ? error.message : String(error);
  const toast = el("p", { class: "toast" }, text);
  toast.append(el("button", { class: "quiet", "aria-label": t("shell.dismiss"), onclick: () => toast.remove() }, "×"));
  document.getElementById("toasts")?.append(toast);
  setTimeout(() => toast.remove(), 12000);
}

/**
 * Calls at most once in so many milliseconds, the last call always.
 * @param {number} ms @param {() => void} call
 */
export function throttle(ms, call) {
  let last = -Infinity;
  let timer = 0;
  const run = () => {
    last = performance.now();
    timer = 0;
    call();
  };
  return () => {
    if (!timer) timer = setTimeout(run, Math.max(0, last + ms - performance.now()));
  };
}

/**
 * Calls when it has been quiet for so many milliseconds.
 * @param {number} ms @param {() => void} call
 */
export function debounce(ms, call) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(call, ms);
  };
}
