/** The frame: navigation, theme, language, and the table of pages. */

import { el, replace } from "./dom.js";
import { LANGUAGES, current, setLanguage, t } from "./i18n.js";
import * as router from "./router.js";
import { isDark, toggleTheme } from "./theme.js";

/** Entries of the navigation, in their order; a section needs a line here and its routes below. */
const SECTIONS = ["runs", "blocks", "try"];

/** @type {router.Route[]} */
const ROUTES = [
  { pattern: /^\/runs$/, section: "runs", load: () => import("./runs_list.js") },
  { pattern: /^\/runs\/([^/]+)$/, section: "runs", load: () => import("./run_page.js") },
  { pattern: /^\/compare$/, section: "runs", load: () => import("./compare.js") },
  { pattern: /^\/blocks$/, section: "blocks", load: () => import("./blocks/page.js") },
  { pattern: /^\/try$/, section: "try", load: () => import("./try.js") },
];

let section = "runs";

header();
router.start(ROUTES, (to) => {
  section = to;
  markCurrent();
});
document.addEventListener("language", () => {
  header();
  router.again();
});
document.addEventListener("theme", header);

function header() {
  const top = /** @type {HTMLElement} */ (document.getElementById("top"));
  const link = (/** @type {string} */ name) => el("a", { href: `#/${name}`, data: { section: name } }, t(`nav.${name}`));
  replace(
    top,
    el("a", { class: "brand", href: "#/runs" }, el("img", { src: "/assets/icon.svg", alt: "", width: 28, height: 28 }), "Danlu", el("span", { lang: "zh-Hans" }, "丹炉")),
    el("nav", { "aria-label": t("nav.label") }, SECTIONS.map(link)),
    el("div", { class: "switches" }, languages(), themeSwitch()),
  );
  const skip = /** @type {HTMLElement} */ (document.getElementById("skip"));
  skip.textContent = t("nav.skip");
  skip.onclick = (event) => {
    event.preventDefault();
    document.getElementById("main")?.focus();
  };
  markCurrent();
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
  return el("button", { class: "quiet", id: "language", lang: other, onclick: () => setLanguage(other) }, name);
}

function themeSwitch() {
  const label = t(isDark() ? "theme.light" : "theme.dark");
  return el("button", { class: "quiet icon", id: "theme", title: label, "aria-label": label, onclick: toggleTheme }, isDark() ? "☀" : "☾");
}
