/** The run file's text beside the blocks. What the reader writes is left as it is while they write. */

import { announce, el } from "../dom.js";
import { t } from "../i18n.js";

/** @param {import("./store.js").Store} store */
export function textPart(store) {
  const area = el("textarea", {
    class: "toml", rows: 22, spellcheck: "false", autocapitalize: "off", autocomplete: "off", wrap: "off",
    "aria-label": t("blocks.text"), "aria-describedby": "toml-error", data: { test: "toml" },
  });
  const error = el("p", { class: "error", id: "toml-error", role: "alert", hidden: true, data: { test: "toml-error" } });
  area.addEventListener("input", () => store.setText(area.value));
  area.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    if (event.key === "Escape") area.blur();
  });

  function show() {
    if (area.value !== store.text) {
      const { selectionStart, selectionEnd, scrollTop, scrollLeft } = area;
      area.value = store.text;
      area.setSelectionRange(selectionStart, selectionEnd);
      area.scrollTop = scrollTop;
      area.scrollLeft = scrollLeft;
    }
    const wrong = store.answer?.error;
    const isOfText = Boolean(wrong && wrong.node === null);
    error.hidden = !isOfText;
    error.textContent = isOfText && wrong ? place(wrong) : "";
    area.setAttribute("aria-invalid", String(isOfText));
  }

  /** Why the blocks cannot be edited. */
  function reveal() {
    error.scrollIntoView({ block: "nearest" });
    announce(error.textContent ?? "");
  }

  /** @param {{message: string, line: number | null, column: number | null}} wrong */
  function place(wrong) {
    if (wrong.line === null) return wrong.message;
    return t("blocks.line", { line: wrong.line, column: wrong.column ?? 1, message: wrong.message });
  }

  const element = el("section", { class: "card text-part" },
    el("h2", {}, t("blocks.text")),
    el("p", { class: "muted small" }, t("blocks.textHint")),
    area, error);
  return { element, show, reveal };
}
