/** In which order a list stands. */

import { el, replace } from "./dom.js";
import { t } from "./i18n.js";

/** Keys of which the least comes first; of the others the largest or latest does. */
const RISING = ["name", "loss"];

/** @typedef {"asc" | "desc"} Order */

/** The order in which one wants to see it first. @param {string} sort @returns {Order} */
export function naturalOrder(sort) {
  return RISING.includes(sort) ? "asc" : "desc";
}

/** @param {Order} order @returns {Order} */
export function turned(order) {
  return order === "desc" ? "asc" : "desc";
}

/** Where a page of a list begins: a whole number, whatever the address says. @param {string | null} text */
export function offsetOf(text) {
  const offset = Math.floor(Number(text));
  return Number.isSafeInteger(offset) ? Math.max(0, offset) : 0;
}

/** Where the last page begins. @param {number} total @param {number} size of a page */
export function lastOffset(total, size) {
  return Math.max(0, Math.ceil(total / size) - 1) * size;
}

/**
 * What stands above the list where its columns have no heads: a choice of the key, and a button that turns the order.
 * @param {string[]} sorts @param {string} words before the name of each @param {(to: {sort?: string, order: Order}) => void} change
 */
export function orderTools(sorts, words, change) {
  /** @type {Order} */
  let shown = "desc";
  const choice = el("select", { "aria-label": t("runs.sort"), onchange: () => change({ sort: choice.value, order: naturalOrder(choice.value) }) },
    sorts.map((sort) => el("option", { value: sort }, t(`${words}.${sort}`))));
  const turn = el("button", { class: "icon", data: { test: "turn" }, onclick: () => change({ order: turned(shown) }) });

  /** @param {string} sort @param {Order} order */
  function show(sort, order) {
    shown = order;
    choice.value = sort;
    turn.title = t(`runs.order.${order}`);
    turn.setAttribute("aria-label", turn.title);
    replace(turn, el("span", { "aria-hidden": "true" }, order === "desc" ? "↓" : "↑"));
  }
  return { node: el("div", { class: "narrow-only" }, choice, turn), show };
}
