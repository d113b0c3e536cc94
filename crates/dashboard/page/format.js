/** Numbers, times and sizes in the reader's way of writing. */

import { tag } from "./i18n.js";

const NONE = "–";
/** @type {Map<string, Intl.NumberFormat>} */
const formats = new Map();

/** @param {Intl.NumberFormatOptions} options */
function format(options) {
  const key = tag() + JSON.stringify(options);
  let found = formats.get(key);
  if (!found) formats.set(key, (found = new Intl.NumberFormat(tag(), options)));
  return found;
}

/** @param {number | null | undefined} value @param {Intl.NumberFormatOptions} options */
function write(value, options) {
  return value === null || value === undefined || !Number.isFinite(value) ? NONE : format(options).format(value);
}

/** A count. @param {number | null | undefined} value */
export function count(value) {
  return write(value, { maximumFractionDigits: 0 });
}

/** A large count in short: 282K. @param {number | null | undefined} value */
export function short(value) {
  return write(value, { notation: "compact", maximumSignificantDigits: 3 });
}

/** A share of 1 as a percentage. @param {number | null | undefined} value @param {number} [digits] */
export function percent(value, digits = 2) {
  return write(value, { style: "percent", minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** @param {number | null | undefined} value @param {number} [digits] */
export function decimal(value, digits = 4) {
  return write(value, { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

/** A number of any size. @param {number | null | undefined} value @param {number} [digits] significant ones */
export function significant(value, digits = 3) {
  const tiny = value !== null && value !== undefined && value !== 0 && Math.abs(value) < 1e-4;
  return write(value, { notation: tiny ? "scientific" : "standard", maximumSignificantDigits: digits });
}

/** A number of any size, a whole one in full. @param {number | null | undefined} value @param {number} [digits] significant ones of others */
export function exact(value, digits = 6) {
  return Number.isSafeInteger(value) ? count(value) : significant(value, digits);
}

/** @param {number | null | undefined} seconds */
export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return NONE;
  const whole = Math.round(seconds);
  if (whole < 60) return unit(seconds, "second", seconds < 10 ? 1 : 0);
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${unit(minutes, "minute")} ${unit(whole % 60, "second")}`;
  return `${unit(Math.floor(minutes / 60), "hour")} ${unit(minutes % 60, "minute")}`;
}

/** @param {number} value @param {string} name @param {number} [digits] */
function unit(value, name, digits = 0) {
  return write(value, { style: "unit", unit: name, unitDisplay: "narrow", maximumFractionDigits: digits });
}

/** How long ago. @param {number} at seconds since 1970 */
export function ago(at) {
  const seconds = Math.max(0, Date.now() / 1000 - at);
  const relative = new Intl.RelativeTimeFormat(tag(), { numeric: "auto", style: "short" });
  if (seconds < 60) return relative.format(0, "second");
  if (seconds < 3600) return relative.format(-Math.floor(seconds / 60), "minute");
  if (seconds < 86400) return relative.format(-Math.floor(seconds / 3600), "hour");
  return relative.format(-Math.floor(seconds / 86400), "day");
}

/** @param {number} at seconds since 1970 */
export function moment(at) {
  return new Intl.DateTimeFormat(tag(), { dateStyle: "medium", timeStyle: "medium" }).format(at * 1000);
}

/** A shape: 6 × 24 × 24. @param {number[]} dims */
export function shape(dims) {
  return dims.map(count).join(" × ");
}

/** @param {number | null | undefined} bytes */
export function bytes(bytes) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  let value = bytes ?? NaN;
  let at = 0;
  while (value >= 1000 && at < units.length - 1) {
    value /= 1000;
    at += 1;
  }
  return write(value, { style: "unit", unit: units[at], unitDisplay: "short", maximumSignificantDigits: 3 });
}
