/** The page's words in English and Chinese. */

import blocks from "./strings/blocks.js";
import runs from "./strings/runs.js";
import searches from "./strings/search.js";
import shell from "./strings/shell.js";
import studies from "./strings/studies.js";
import tryIt from "./strings/try.js";

/** @typedef {"en" | "zh"} Language */
/** @typedef {Record<Language, Record<string, string>>} Words */

const KEY = "danlu-language";
/** @type {Language[]} */
export const LANGUAGES = ["en", "zh"];
/** @type {Words} */
const WORDS = { en: {}, zh: {} };
for (const words of [shell, runs, studies, searches, blocks, tryIt]) {
  for (const language of LANGUAGES) Object.assign(WORDS[language], words[language]);
}
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
  const text = WORDS[language][key];
  if (text === undefined) {
    console.error(`no words for ${key}`);
    return key;
  }
  return text.replace(/\{(\w+)\}/g, (_, name) => String(values[name] ?? ""));
}

/** Whether there are words for it. @param {string} key */
export function has(key) {
  return WORDS.en[key] !== undefined;
}

/** The words of a key, or what the server says where there are none. @param {string} key @param {string} otherwise */
export function words(key, otherwise) {
  if (language === "en" && otherwise) return otherwise;
  return has(key) ? t(key) : otherwise;
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
  for (const key of new Set(LANGUAGES.flatMap((language) => Object.keys(WORDS[language])))) {
    const [english, chinese] = [WORDS.en[key], WORDS.zh[key]];
    if (!english || !chinese || values(english) !== values(chinese)) throw new Error(`words of ${key} differ`);
  }
}
