/** Signs of buttons, drawn, as fonts do not all have them. */

import { svg } from "../dom.js";

const PATHS = /** @type {Record<string, string>} */ ({
  up: "M8 13V3M3.5 7.5 8 3l4.5 4.5",
  down: "M8 3v10M3.5 8.5 8 13l4.5-4.5",
  duplicate: "M6 6h7v7H6zM10 6V3H3v7h3",
  remove: "M4 4l8 8M12 4l-8 8",
  undo: "M6 3 2.5 6.5 6 10M2.5 6.5H10a3.5 3.5 0 0 1 0 7H6",
  redo: "M10 3l3.5 3.5L10 10M13.5 6.5H6a3.5 3.5 0 0 0 0 7h4",
});

/** @param {string} name */
export function icon(name) {
  return svg("svg", { class: "sign", viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" }, svg("path", { d: PATHS[name] }));
}
