/** How a run stands: a sign and a word, so that color is never the only difference. */

import { el } from "./dom.js";
import { t } from "./i18n.js";

const SIGNS = {
  running: "●", finished: "✓", interrupted: "‖", failed: "✕", stale: "?", unreadable: "✕", idle: "–", waiting: "…", complete: "✓", pruned: "↘",
};

/** @param {{state: string, reason?: string | null}} row @param {string} [words] whose words, of a run unless said otherwise */
export function stateChip(row, words = "state") {
  const sign = SIGNS[/** @type {keyof typeof SIGNS} */ (row.state)] ?? "?";
  return el("span", { class: `state ${row.state}`, title: row.reason ?? t(`${words}.about.${row.state}`) },
    el("span", { class: "sign", "aria-hidden": "true" }, sign), t(`${words}.${row.state}`));
}
