/** Where the values lie that a reader looks for: a few that went astray must not squeeze the rest into a line. */

/**
 * The range of an axis, or nothing where the chart may choose: the good end is always in, of the bad end what is far
 * beyond the usual is cut off.
 * @param {(number | null)[]} values @param {"minimize" | "maximize"} direction
 * @returns {[number, number] | null}
 */
export function usualRange(values, direction) {
  const sorted = values.filter((value) => value !== null && Number.isFinite(value)).sort((a, b) => Number(a) - Number(b)).map(Number);
  if (sorted.length < 10) return null;
  const at = (/** @type {number} */ share) => sorted[Math.round(share * (sorted.length - 1))];
  const [least, most] = [sorted[0], sorted[sorted.length - 1]];
  const minimize = direction === "minimize";
  // From the best to what three quarters reach, and as much again twice.
  const usual = minimize ? at(0.75) - least : most - at(0.25);
  if (usual <= 0 || most - least <= 3 * usual) return null;
  const pad = 0.06 * 2.5 * usual;
  return minimize ? [least - pad, least + 2.5 * usual] : [most - 2.5 * usual, most + pad];
}

/** Shares of the way from the worst to the best, by rank, so that strays do not take all colors. @param {number[]} values @param {"minimize" | "maximize"} direction */
export function ranks(values, direction) {
  const order = values.map((_, idx) => idx).sort((a, b) => (direction === "minimize" ? values[b] - values[a] : values[a] - values[b]));
  const shares = new Array(values.length).fill(1);
  order.forEach((idx, place) => (shares[idx] = values.length > 1 ? place / (values.length - 1) : 1));
  return shares;
}
