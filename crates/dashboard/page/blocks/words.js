/** Names of blocks and of their parameters in the reader's language. */

import { current, has, t } from "../i18n.js";

/** @param {string} kind */
export function kindLabel(kind) {
  const key = `block.${kind}`;
  return has(key) ? t(key) : kind;
}

/** @param {{kind: string, about: string}} block */
export function kindAbout(block) {
  return said(`about.${block.kind}`, block.about);
}

/** @param {string} group */
export function groupLabel(group) {
  const key = `group.${group}`;
  return has(key) ? t(key) : group;
}

/** @param {{name: string}} parameter */
export function parameterLabel(parameter) {
  const key = `param.${parameter.name}`;
  return has(key) ? t(key) : parameter.name.replaceAll("_", " ");
}

/** @param {{name: string, about: string}} parameter */
export function parameterAbout(parameter) {
  return current() === "en" ? `${parameter.name}: ${parameter.about}` : parameter.name;
}

/** The server speaks English. @param {string} key @param {string} english */
function said(key, english) {
  return current() !== "en" && has(key) ? t(key) : english;
}
