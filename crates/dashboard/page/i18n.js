/** The page's words in English and Chinese. */

import { MESSAGES } from "./messages.js";

/** @typedef {"en" | "zh"} Language */

const KEY = "danlu-language";
/** @type {Language[]} */
export const LANGUAGES = ["en", "zh"];

check();

/** @type {Language} */
let language = initial();
document.documentElement.lang = tag();

/** @returns {Language} */
export function current() {
  return language;
}

/** Language tag for Intl and for the document. */
export function tag() {
  return language === "zh" ? "zh-Hans" : "en";
}

/** @param {Language} to */
export function setLanguage(to) {
  language = to;
  localStorage.setItem(KEY, to);
  document.documentElement.lang = tag();
  document.dispatchEvent(new Event("language"));
}

/**
 * The words of a key; `{name}` in them stands for a value.
 * @param {string} key
 * @param {Record<string, string | number>} [values]
 */
export function t(key, values = {}) {
  const texts = MESSAGES[key];
  if (!texts) {
    console.error(`no words for ${key}`);
    return key;
  }
  const text = texts[LANGUAGES.indexOf(language)];
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** The words of a key, or what the server says where there are none. @param {string} key @param {string} otherwise */
export function words(key, otherwise) {
  if (language === "en" && otherwise) return otherwise;
  return MESSAGES[key] ? t(key) : otherwise;
}

/** @returns {Language} */
function initial() {
  const chosen = localStorage.getItem(KEY);
  if (chosen === "en" || chosen === "zh") return chosen;
  return navigator.language.startsWith("zh") ? "zh" : "en";
}

/** Every key has words in each language, with the same values in them. */
function check() {
  const values = (/** @type {string} */ text) => (text.match(/\{\w+\}/g) ?? []).sort().join();
  for (const [key, texts] of Object.entries(MESSAGES)) {
    const whole = texts.length === LANGUAGES.length && texts.every((text) => text.length > 0);
    if (!whole || new Set(texts.map(values)).size !== 1) throw new Error(`words of ${key} differ`);
  }
}
