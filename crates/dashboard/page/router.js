/**
 * Pages by the part of the address behind `#`: `#/runs/lenet-1?points=500`. A page gets a signal that is aborted when the
 * reader leaves it, and closes with it whatever it holds open.
 */

import { complain, replace } from "./dom.js";
import { isAbort } from "./api.js";

/**
 * @typedef {object} Visit
 * @property {string[]} parts what the route's pattern caught, decoded
 * @property {URLSearchParams} query
 * @property {AbortSignal} signal
 *
 * @typedef {object} Route
 * @property {RegExp} pattern
 * @property {string} section entry of the navigation that is current
 * @property {() => Promise<{show: (root: HTMLElement, visit: Visit) => void | Promise<void>}>} load
 */

/** @type {Route[]} */
let routes = [];
/** @type {(section: string) => void} */
let onSection = () => {};
let leave = new AbortController();
let first = true;

/** @param {Route[]} table @param {(section: string) => void} sectionChanged */
export function start(table, sectionChanged) {
  routes = table;
  onSection = sectionChanged;
  addEventListener("hashchange", () => visit());
  visit();
}

/** Shows the current page afresh, as after a change of language. */
export function again() {
  visit(false);
}

/** @param {string} hash as `#/runs` */
export function go(hash) {
  location.hash = hash;
}

/** Sets the address without a visit. @param {string} hash */
export function setAddress(hash) {
  history.replaceState(null, "", hash);
}

/** @param {boolean} [moved] whether the reader came from another page */
async function visit(moved = true) {
  const hash = location.hash;
  if (hash === "#main") return;
  const [path, query = ""] = hash.slice(1).split("?");
  const route = routes.find((route) => route.pattern.test(path));
  if (!route) return setAndVisit("#/runs");
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  onSection(route.section);
  try {
    const page = await route.load();
    if (signal.aborted) return;
    const parts = (route.pattern.exec(path) ?? []).slice(1).map((part) => decodeURIComponent(part ?? ""));
    await enter(page, { parts, query: new URLSearchParams(query), signal }, moved);
  } catch (error) {
    if (!isAbort(error)) complain(error);
  }
}

/** @param {string} hash */
function setAndVisit(hash) {
  setAddress(hash);
  return visit();
}

/** @param {{show: Function}} page @param {Visit} visit @param {boolean} moved */
async function enter(page, visit, moved) {
  const root = /** @type {HTMLElement} */ (document.getElementById("main"));
  replace(root);
  const shown = page.show(root, visit);
  title(root);
  if (moved && !first) root.querySelector("h1")?.focus({ preventScroll: true });
  if (moved && !first) scrollTo(0, 0);
  first = false;
  await shown;
}

/** The page's first heading is the window's title and takes the focus. @param {HTMLElement} root */
function title(root) {
  const heading = root.querySelector("h1");
  heading?.setAttribute("tabindex", "-1");
  document.title = heading ? `${heading.textContent} · Danlu` : "Danlu";
}
