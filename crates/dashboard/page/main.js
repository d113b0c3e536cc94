/** The frame: navigation, theme, language, and the table of pages. */

import { el, replace } from "./dom.js";
import { LANGUAGES, current, setLanguage, t } from "./i18n.js";
import * as router from "./router.js";
import { isDark, toggleTheme } from "./theme.js";

/** Entries of the navigation, in their order; a section needs a line here and its routes below. */
const SECTIONS = ["runs", "studies", "search", "blocks", "try"];

router.route(/^\/runs$/, "runs", () => import("./runs_list.js"));
router.route(/^\/runs\/([^/]+)$/, "runs", () => import("./run_page.js"));
router.route(/^\/compare$/, "runs", () => import("./compare.js"));
router.route(/^\/studies$/, "studies", () => import("./studies/list.js"));
router.route(/^\/studies\/([^/]+)$/, "studies", () => import("./studies/view.js"));
router.route(/^\/studies\/([^/]+)\/trials\/(\d+)$/, "studies", () => import("./studies/trial.js"));
router.route(/^\/search$/, "search", () => import("./search/list.js"));
router.route(/^\/search\/([^/]+)$/, "search", () => import("./search/view.js"));
router.route(/^\/blocks$/, "blocks", () => import("./blocks/view.js"));
router.route(/^\/try(?:\/([^/]+))?$/, "try", () => import("./try/view.js"));

let section = "runs";

header();
router.start((to) => {
  section = to;
  markCurrent();
});
document.addEventListener("language", () => {
  header();
  router.again();
});
document.addEventListener("theme", markTheme);

function header() {
  const top = /** @type {HTMLElement} */ (document.getElementById("top"));
  const held = top.contains(document.activeElement) ? document.activeElement?.id : "";
  const link = (/** @type {string} */ name) =>
    el("a", { href: `#/${name}`, data: { section: name, test: `nav-${name}` } }, t(`nav.${name}`));
  const icon = el("img", { src: "/assets/icon.svg", alt: "", width: 28, height: 28 });
  replace(
    top,
    el("a", { class: "brand", href: "#/runs" }, icon, el("span", {}, "Danlu"), el("span", { class: "brand-zh", lang: "zh-Hans" }, "丹炉")),
    el("nav", { "aria-label": t("nav.label") }, SECTIONS.map(link)),
    el("div", { class: "switches" }, languages(), themeSwitch()),
  );
  const skip = /** @type {HTMLElement} */ (document.getElementById("skip"));
  skip.textContent = t("nav.skip");
  skip.onclick = (event) => {
    event.preventDefault();
    document.getElementById("view")?.focus();
  };
  markTheme();
  markCurrent();
  // What had the focus has it again in the other language.
  if (held) document.getElementById(held)?.focus();
}

function markCurrent() {
  for (const link of document.querySelectorAll("#top nav a")) {
    const here = /** @type {HTMLElement} */ (link).dataset.section === section;
    if (here) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function languages() {
  const other = LANGUAGES.find((language) => language !== current()) ?? "en";
  const name = { en: "English", zh: "中文" }[other];
  return el("button", { class: "quiet", id: "language", lang: other, data: { test: "language" }, onclick: () => setLanguage(other) }, name);
}

function themeSwitch() {
  return el("button", { class: "quiet icon", id: "theme", data: { test: "theme" }, onclick: toggleTheme });
}

/** The switch says what it leads to. */
function markTheme() {
  const label = t(isDark() ? "theme.light" : "theme.dark");
  const button = /** @type {HTMLElement} */ (document.getElementById("theme"));
  button.textContent = isDark() ? "☀" : "☾";
  button.title = label;
  button.setAttribute("aria-label", label);
}
