/** Says while events cannot be had that what is shown may be old. */

import { t } from "./i18n.js";

/** The server ends a stream where what it told of is gone; the browser has the next one sooner than this. */
const PATIENCE_MS = 2500;

/** Streams that are broken. @type {Set<object>} */
const broken = new Set();
let timer = 0;

/** A stream broke off. @param {object} stream */
export function lost(stream) {
  broken.add(stream);
  timer ||= setTimeout(show, PATIENCE_MS);
}

/** A stream is open again, or nobody needs it any more. @param {object} stream */
export function mended(stream) {
  broken.delete(stream);
  if (broken.size > 0) return;
  clearTimeout(timer);
  show();
}

function show() {
  timer = 0;
  const line = document.getElementById("connection");
  if (line) line.textContent = broken.size > 0 ? t("shell.lost") : "";
}
