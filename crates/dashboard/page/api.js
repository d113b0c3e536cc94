/** The server's answers, see the routes in the dashboard crate. */

import { lost, mended } from "./connection.js";
import { t } from "./i18n.js";

const token = document.querySelector('meta[name="danlu-token"]')?.getAttribute("content") ?? "";

/** A refusal of the server, with its own words. */
export class ApiError extends Error {
  /** @param {string} message @param {number} status */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/**
 * @param {string} path
 * @param {{query?: Record<string, any>, signal?: AbortSignal}} [options]
 * @returns {Promise<any>}
 */
export async function get(path, { query, signal } = {}) {
  return answer(await fetch(path + search(query), { signal }));
}

/**
 * Posts JSON, or a blob as it is.
 * @param {string} path
 * @param {any} body
 * @param {{signal?: AbortSignal}} [options]
 * @returns {Promise<any>}
 */
export async function post(path, body, { signal } = {}) {
  const blob = body instanceof Blob;
  const type = blob ? body.type || "application/octet-stream" : "application/json";
  const headers = { "X-Danlu-Token": token, "Content-Type": type };
  return answer(await fetch(path, { method: "POST", headers, body: blob ? body : JSON.stringify(body), signal }));
}

/** A stream that the browser gives up, as it does when the server is too busy, is opened again after so long. */
const REOPEN_MS = 5000;

/**
 * Server-sent events while the page is in sight. A browser keeps six connections to one server, which as many tabs in the
 * background would hold.
 * @param {string | (() => string)} path asked for at each start
 * @param {Record<string, (data: any) => void>} handlers by event; what they know already is told again at each start
 * @param {AbortSignal} signal
 * @param {() => void} [again] called when the page comes in sight or the server is back, as nobody tells what was removed meanwhile
 */
export function events(path, handlers, signal, again) {
  /** @type {EventSource | null} */
  let source = null;
  let wasAway = false;
  let isLost = false;
  let timer = 0;
  const stream = {};

  function open() {
    source = new EventSource(typeof path === "function" ? path() : path);
    source.addEventListener("open", opened);
    source.addEventListener("error", failed);
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => handle(JSON.parse(/** @type {MessageEvent} */ (event).data)));
    }
    if (wasAway) again?.();
    wasAway = false;
  }

  function opened() {
    mended(stream);
    if (isLost) again?.();
    isLost = false;
  }

  function failed() {
    if (!isLost) lost(stream);
    isLost = true;
    if (source?.readyState !== EventSource.CLOSED) return;
    timer = setTimeout(open, REOPEN_MS);
    // What it tells of may be gone.
    again?.();
  }

  function close() {
    clearTimeout(timer);
    source?.close();
    source = null;
    isLost = false;
    mended(stream);
  }

  function follow() {
    if (!document.hidden) {
      if (!source && !signal.aborted) open();
      return;
    }
    close();
    wasAway = true;
  }

  follow();
  document.addEventListener("visibilitychange", follow, { signal });
  signal.addEventListener("abort", close);
}

/** What looks whether a run or a study is still there. @param {string} path @param {() => void} gone @param {AbortSignal} signal */
export function stillThere(path, gone, signal) {
  return () => get(path, { signal }).catch((error) => error.status === 404 && gone());
}

const STARTING_MS = 500;

/**
 * Looks again and again at what was started, until its process works on it or has ended.
 * @param {() => Promise<any>} look gives a run or a study
 * @param {() => boolean} isTold whether its events told of another state meanwhile
 * @returns {Promise<any>} the last look; null where the events told
 */
export async function whenStarted(look, isTold) {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, STARTING_MS));
    if (isTold()) return null;
    const now = await look();
    if (isTold()) return null;
    if (!now.is_started || now.row.state === "running") return now;
  }
}

/** Path of a run, or of something in it. @param {string} id @param {string} [rest] */
export function runPath(id, rest) {
  const path = `/api/runs/${encodeURIComponent(id)}`;
  return rest === undefined ? path : `${path}/${rest}`;
}

/** Whether an error only says that the page has moved on. @param {unknown} error */
export function isAbort(error) {
  return error instanceof DOMException && error.name === "AbortError";
}

/** @param {Record<string, any>} [query] without what is empty */
export function search(query = {}) {
  const parameters = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") parameters.append(key, String(value));
  }
  const text = parameters.toString();
  return text ? `?${text}` : "";
}

/** @param {Response} response */
async function answer(response) {
  const body = await response.json().catch((error) => {
    if (isAbort(error)) throw error;
    return undefined;
  });
  if (response.ok && body !== undefined) return body;
  const otherwise = response.ok ? t("shell.unreadable") : `${response.status} ${response.statusText}`;
  throw new ApiError(body?.error ?? otherwise, response.status);
}
