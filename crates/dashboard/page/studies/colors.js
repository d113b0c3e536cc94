/** Colors and signs of states and values, from the table of Okabe and Ito. */

import { isDark } from "../theme.js";

/** The states that charts show. */
export const STATES = ["complete", "pruned", "failed", "running", "waiting", "infeasible"];

/** @type {Record<string, {color: string, dark?: string, symbol: string}>} */
const LOOKS = {
  complete: { color: "rgb(0,114,178)", dark: "rgb(86,180,233)", symbol: "circle" },
  pruned: { color: "rgb(230,159,0)", symbol: "triangle-down" },
  failed: { color: "rgb(213,94,0)", symbol: "x" },
  running: { color: "rgb(0,158,115)", symbol: "diamond" },
  waiting: { color: "rgb(128,128,128)", symbol: "circle-open" },
  infeasible: { color: "rgb(128,128,128)", symbol: "circle-open" },
};

/** Color and sign of a state. @param {string} name */
export function look(name) {
  const { color, dark, symbol } = LOOKS[name] ?? LOOKS.waiting;
  return { color: isDark() && dark ? dark : color, symbol };
}

/** The color of the best. */
export const BEST = "rgb(213,94,0)";

/** From bad to good; good stands out on either ground. */
export function stops() {
  return isDark()
    ? [[0, "rgb(70,78,86)"], [0.5, "rgb(66,125,165)"], [1, "rgb(136,218,255)"]]
    : [[0, "rgb(214,210,202)"], [0.5, "rgb(122,170,205)"], [1, "rgb(0,70,130)"]];
}

/** A color between. @param {number} share 0 bad, 1 good */
export function shade(share) {
  const all = stops().map(([at, color]) => ({ at: Number(at), rgb: (String(color).match(/\d+/g) ?? []).map(Number) }));
  const to = all.find(({ at }) => at >= share) ?? all[all.length - 1];
  const from = all[Math.max(0, all.indexOf(to) - 1)];
  const part = to.at > from.at ? (share - from.at) / (to.at - from.at) : 0;
  return `rgb(${from.rgb.map((one, idx) => Math.round(one + (to.rgb[idx] - one) * part)).join(",")})`;
}
