/**
 * What is being built: a run file as JSON and as text, what the server says of it, and its past. It outlives the page, so
 * that a look at a run loses nothing. The server alone knows shapes and formats: every edit goes to it, and the last
 * answer wins.
 */

import { isAbort, post } from "../api.js";
import { debounce } from "../dom.js";

const MOST_PAST = 200;
const PAUSE_MS = 180;

/** @typedef {"blocks" | "text" | "past"} Source where a change came from */

class Store extends EventTarget {
  /** @type {any} */ run = null;
  toml = "";
  /** The last answer. @type {any} */ answer = null;
  /** @type {Source} */ source = "past";
  /** @type {{run: any, toml: string}[]} */ past = [];
  /** @type {{run: any, toml: string}[]} */ future = [];
  pending = false;
  /** @type {AbortController} */ asked = new AbortController();
  soon = debounce(PAUSE_MS, () => this.ask());

  /** @param {any} run edited blocks or recipe */
  edit(run) {
    this.remember();
    this.run = run;
    this.change("blocks");
    this.ask();
  }

  /** @param {string} toml */
  type(toml) {
    if (this.source !== "text") this.remember();
    this.toml = toml;
    this.change("text");
    this.soon();
  }

  /** Starts from a text. @param {string} toml */
  open(toml) {
    if (this.toml) this.remember();
    this.toml = toml;
    this.change("past");
    return this.ask();
  }

  undo() {
    this.travel(this.past, this.future);
  }

  redo() {
    this.travel(this.future, this.past);
  }

  /** Whether it can be trained as it stands. */
  fits() {
    return !this.pending && this.answer !== null && this.answer.error === null;
  }

  remember() {
    this.past.push({ run: this.run, toml: this.toml });
    if (this.past.length > MOST_PAST) this.past.shift();
    this.future = [];
  }

  /** @param {{run: any, toml: string}[]} from @param {{run: any, toml: string}[]} to */
  travel(from, to) {
    const step = from.pop();
    if (!step) return;
    to.push({ run: this.run, toml: this.toml });
    Object.assign(this, step);
    this.change("past");
    this.ask();
  }

  /** @param {Source} source */
  change(source) {
    this.source = source;
    this.pending = true;
    this.dispatchEvent(new Event("edited"));
  }

  async ask() {
    this.asked.abort();
    this.asked = new AbortController();
    const { signal } = this.asked;
    const source = this.source;
    try {
      const answer = await post("/api/check", source === "blocks" ? { run: this.run } : { toml: this.toml }, { signal });
      if (!signal.aborted) this.take(answer, source);
    } catch (error) {
      if (!isAbort(error)) this.take({ nodes: [], error: { message: String(/** @type {Error} */ (error).message), node: null, line: null }, run: null, toml: null }, source);
    }
  }

  /** @param {any} answer @param {Source} source */
  take(answer, source) {
    this.pending = false;
    this.answer = answer;
    if (answer.run) this.run = answer.run;
    if (source === "blocks" && answer.toml) this.toml = answer.toml;
    this.dispatchEvent(new Event("checked"));
  }
}

export const store = new Store();
