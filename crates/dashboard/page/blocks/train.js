/** What the whole comes to, whether it fits, and the button that trains it. */

import { post } from "../api.js";
import { el } from "../dom.js";
import { count, short } from "../format.js";
import { t } from "../i18n.js";
import { go } from "../router.js";

/** @param {import("./store.js").Store} store */
export function trainPart(store) {
  const parameters = el("output", { data: { test: "total-parameters" } });
  const multiplyAdds = el("output", { data: { test: "total-multiply-adds" } });
  const state = el("p", { class: "verdict", role: "status", data: { test: "verdict" } });
  const name = el("input", { type: "text", class: "mono", id: "run-name", autocomplete: "off", spellcheck: "false", placeholder: t("train.auto"), data: { test: "train-name" } });
  const button = el("button", { type: "submit", class: "button-primary", data: { test: "train" } }, t("train.train"));
  const refusal = el("p", { class: "error", role: "alert", hidden: true, data: { test: "train-error" } });
  const form = el("form", { class: "train-form" }, el("label", { class: "field grow" }, el("span", {}, t("train.name")), name), button);
  form.addEventListener("submit", async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (store.isChecking) return;
    refusal.hidden = true;
    button.disabled = true;
    try {
      const wanted = name.value.trim();
      const { id } = await post("/api/train", wanted ? { toml: store.text, name: wanted } : { toml: store.text });
      go(`#/runs/${encodeURIComponent(id)}`);
    } catch (error) {
      refusal.textContent = error instanceof Error ? error.message : String(error);
      refusal.hidden = false;
      show();
    }
  });

  function show() {
    const { answer, trouble } = store;
    const wrong = trouble ?? answer?.error?.message ?? null;
    // A sum over some of the blocks only would look like the whole.
    const whole = answer && answer.nodes.every((node) => node.output !== null) ? answer : null;
    parameters.textContent = whole ? count(whole.parameters) : "–";
    multiplyAdds.textContent = whole ? short(whole.multiply_adds) : "–";
    multiplyAdds.title = whole ? count(whole.multiply_adds) : "";
    button.disabled = Boolean(wrong) || store.isChecking || !answer;
    state.className = `verdict ${wrong ? "is-wrong" : "is-right"}`;
    const text = !answer && !trouble ? t("shell.loading") : trouble ?? (wrong ? t("train.wrong") : t("train.fits"));
    if (state.textContent !== text) state.textContent = text;
  }

  const total = (/** @type {string} */ label, /** @type {any} */ output) => el("div", { class: "total" }, el("span", { class: "muted small" }, label), output);
  const element = el("section", { class: "card train-part", "aria-label": t("train.title") },
    el("div", { class: "totals" }, total(t("train.parameters"), parameters), total(t("train.multiplyAdds"), multiplyAdds)),
    state, form, refusal);
  return { element, show };
}
