/**
 * Pages by the part of the address behind `#`: `#/runs/lenet-1?points=500`. A page gets a signal that is aborted when the
 * reader leaves it, and closes with it whatever it holds open; what its view gives back is called then too.
 */

import { complain, el, replace } from "./dom.js";
import { isAbort } from "./api.js";
import { t } from "./i18n.js";
import { purgeCharts } from "./plot.js";

/**
 * @typedef {object} Visit
 * @property {string[]} parts what the route's pattern caught, decoded
 * @property {string} [id] the first of them
 * @property {URLSearchParams} query
 * @property {AbortSignal} signal
 *
 * @typedef {(root: HTMLElement, visit: Visit) => any} View
 *
 * @typedef {object} Route
 * @property {RegExp} pattern
 * @property {string} section entry of the navigation that is current
 * @property {() => Promise<any>} load a module with a `view`
 */

/** @type {Route[]} */
const routes = [];
/** @type {(section: string) => void} */
let onSection = () => {};
let leave = new AbortController();
let first = true;

/** @param {RegExp} pattern @param {string} section @param {() => Promise<any>} load */
export function route(pattern, section, load) {
  routes.push({ pattern, section, load });
}

/** @param {(section: string) => void} sectionChanged */
export function start(sectionChanged) {
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
  if (hash === "#view") return;
  const [path, query = ""] = hash.slice(1).split("?");
  const route = routes.find((route) => route.pattern.test(path));
  if (!route) {
    setAddress("#/runs");
    return visit();
  }
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  onSection(route.section);
  if (moved) document.getElementById("toasts")?.replaceChildren();
  try {
    const page = await route.load();
    if (signal.aborted) return;
    const parts = (route.pattern.exec(path) ?? []).slice(1).filter((part) => part !== undefined).map(decodeURIComponent);
    await enter(page.view, { parts, id: parts[0], query: new URLSearchParams(query), signal }, moved);
  } catch (error) {
    if (!signal.aborted && !isAbort(error)) fail(error);
  }
}

/** Tells what went wrong where the page would stand, which holds nothing open from then on. @param {any} error */
export function fail(error) {
  leave.abort();
  complain(error);
  const root = /** @type {HTMLElement} */ (document.getElementById("view"));
  purgeCharts(root);
  const back = el("a", { href: "#/runs" }, t("nav.runs"));
  replace(root, el("p", { class: "crumb" }, back), el("h1", {}, t("shell.failed")), el("p", { class: "nothing" }, error.message));
  title(root);
}

/** @param {View} view @param {Visit} visit @param {boolean} moved */
async function enter(view, visit, moved) {
  const root = /** @type {HTMLElement} */ (document.getElementById("view"));
  purgeCharts(root);
  replace(root);
  const shown = view(root, visit);
  settle(root, moved);
  const cleanup = await shown;
  title(root);
  if (typeof cleanup !== "function") return;
  if (visit.signal.aborted) cleanup();
  else visit.signal.addEventListener("abort", cleanup);
}

/** @param {HTMLElement} root @param {boolean} moved */
function settle(root, moved) {
  title(root);
  if (moved && !first) {
    (root.querySelector("h1") ?? root).focus({ preventScroll: true });
    scrollTo(0, 0);
  }
  first = false;
}

/** The page's first heading is the window's title and takes the focus. @param {HTMLElement} root */
function title(root) {
  const heading = root.querySelector("h1");
  heading?.setAttribute("tabindex", "-1");
  document.title = heading ? `${heading.textContent} · Danlu` : "Danlu";
}
