/** Names of decisions in the reader's language. */

import { has, t } from "../i18n.js";

/** @param {string} kind */
export function kindName(kind) {
  const key = `search.decision.${kind}`;
  return has(key) ? t(key) : kind.replaceAll("_", " ");
}

/** @param {string} role @param {string} choice */
export function choiceName(role, choice) {
  const isSkip = role === "skip" && (choice === "true" || choice === "false");
  return isSkip ? t(`search.skip.${choice}`) : choice;
}
