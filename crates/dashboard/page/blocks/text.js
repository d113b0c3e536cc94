/** The run file as text, with the line of an error marked. */

import { el } from "../dom.js";
import { t } from "../i18n.js";
import { store } from "./store.js";

export function textView() {
  const area = el("textarea", { id: "toml", class: "toml", spellcheck: "false", autocomplete: "off", autocapitalize: "off", wrap: "off", "aria-describedby": "toml-error", oninput: () => store.type(area.value) });
  const error = el("p", { id: "toml-error", class: "toml-error", role: "status" });
  const node = el("div", { class: "text-view" }, el("label", { for: "toml" }, t("blocks.text")), area, error);

  /** The text follows the blocks; what is being typed stays as it is. */
  function answer() {
    const { answer, source } = store;
    if (source !== "text" && area.value !== store.toml) area.value = store.toml;
    const wrong = answer?.error ?? null;
    area.setAttribute("aria-invalid", String(wrong !== null));
    const where = wrong?.line ? t("blocks.line", { line: wrong.line }) : "";
    error.textContent = wrong ? `⚠ ${where} ${wrong.message}` : "";
  }
  return { node, answer };
}
