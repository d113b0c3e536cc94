/** How a run stands: a sign and a word, so that color is never the only difference. */

import { el } from "./dom.js";
import { t } from "./i18n.js";

const SIGNS = { running: "●", finished: "✓", interrupted: "‖", failed: "✕", stale: "?", unreadable: "✕" };

/** @param {{state: string, reason?: string | null}} row */
export function stateChip(row) {
  const sign = SIGNS[/** @type {keyof typeof SIGNS} */ (row.state)] ?? "?";
  return el("span", { class: `state ${row.state}`, title: row.reason ?? t(`state.about.${row.state}`) },
    el("span", { class: "sign", "aria-hidden": "true" }, sign), t(`state.${row.state}`));
}
