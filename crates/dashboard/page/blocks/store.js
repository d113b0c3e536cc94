/**
 * What the page works on: one run file, as JSON and as text, each following the other through the server's check.
 * The side that was edited is the truth until the answer to it is there.
 */

import { isAbort, post } from "../api.js";
import { kindOf, nameOf } from "./layer.js";

const QUIET_MS = 150;
const STEPS = 200;
/** Edits of one field within this time are one step to undo. */
const ONE_STEP_MS = 1200;

/** @typedef {"run" | "text" | "answer" | "refused"} News */
/** @typedef {{text: string, run: any, isOfText: boolean}} Step the truth of one of the blocks is `run`; its text may be older */

/**
 * @typedef {object} Answer
 * @property {string | null} toml
 * @property {any} run
 * @property {any[]} nodes
 * @property {number} parameters
 * @property {number} multiply_adds
 * @property {{message: string, node: number | null, line: number | null, column: number | null} | null} error
 */

export class Store {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
    /** @type {any} */
    this.run = null;
    /** @type {number[]} one for each node, the same while it lives */
    this.ids = [];
    /** @type {Answer | null} */
    this.answer = null;
    /** @type {string | null} why nothing could be asked */
    this.trouble = null;
    /** From an edit to the answer to it, while `text` may be that of the run file before. */
    this.isChecking = false;
    /** Whether the text holds what `run` does not: an edit of the blocks would write over it. */
    this.isTextAhead = false;
    /** Edits of the blocks that wait for the text, and of which blocks they are. @type {{ids: string, field: string, change: (run: any) => void}[]} */
    this.waiting = [];
    /** @type {Step[]} */
    this.steps = [];
    this.at = -1;
    this.lastField = "";
    this.lastTime = 0;
    this.nextId = 1;
    this.timer = 0;
    this.asking = new AbortController();
    /** @type {Set<(what: News) => void>} */
    this.listeners = new Set();
  }

  /** @param {(what: News) => void} listener */
  listen(listener) {
    this.listeners.add(listener);
  }

  close() {
    clearTimeout(this.timer);
    this.asking.abort();
    this.listeners.clear();
  }

  /** @returns {import("./layer.js").Node[]} */
  get nodes() {
    return this.run?.network?.node ?? [];
  }

  /**
   * An edit of the JSON. It waits while the text is read, and is not made where the text cannot be read.
   * @param {string} field edits of the same one soon after each other are undone together
   * @param {(run: any) => void} change of a copy
   * @returns {boolean} whether it is made by now
   */
  edit(field, change) {
    if (!this.run) return false;
    if (this.isTextAhead) {
      this.editAfterText(field, change);
      return false;
    }
    const run = structuredClone(this.run);
    change(run);
    this.setRun(run);
    this.remember(field, false);
    this.askSoon({ run });
    this.tell("run");
    return true;
  }

  /** @param {string} field @param {(run: any) => void} change */
  editAfterText(field, change) {
    if (!this.isChecking && !this.trouble) {
      this.refuse();
      return;
    }
    this.waiting.push({ ids: this.ids.join(), field, change });
    this.ask({ toml: this.text });
  }

  /** Fields show again what is so. */
  refuse() {
    this.tell("run");
    this.tell("refused");
  }

  /** Makes the edits that waited for the text; those whose blocks it has changed have no place any more. */
  editWaiting() {
    const waiting = this.waiting;
    this.waiting = [];
    if (waiting.length > 0 && this.isTextAhead) {
      this.refuse();
      return;
    }
    for (const { ids, field, change } of waiting) {
      if (ids === this.ids.join()) this.edit(field, change);
    }
  }

  /** An edit of the text. @param {string} text @param {string} [field] */
  setText(text, field = "text") {
    this.text = text;
    this.remember(field, true);
    this.askSoon({ toml: text });
    this.tell("text");
  }

  /** Another run file in place of this one. @param {string} text */
  async open(text) {
    this.text = text;
    this.lastField = "";
    this.waiting = [];
    this.remember("", true);
    const asked = this.ask({ toml: text });
    this.tell("text");
    await asked;
  }

  get canUndo() {
    return this.at > 0;
  }

  get canRedo() {
    return this.at < this.steps.length - 1;
  }

  /** @param {number} by −1 to undo, 1 to redo */
  go(by) {
    const step = this.steps[this.at + by];
    if (!step) return;
    this.at += by;
    this.lastField = "";
    this.waiting = [];
    this.text = step.text;
    if (step.run) this.setRun(structuredClone(step.run));
    this.ask(step.isOfText ? { toml: step.text } : { run: step.run });
    this.tell("run");
    this.tell("text");
  }

  /** @param {string} field @param {boolean} isOfText */
  remember(field, isOfText) {
    const now = Date.now();
    const isSame = field !== "" && field === this.lastField && now - this.lastTime < ONE_STEP_MS && this.at > 0;
    if (!isSame) this.at += 1;
    this.steps.length = this.at + 1;
    this.steps[this.at] = { text: this.text, run: this.run && structuredClone(this.run), isOfText };
    if (this.steps.length > STEPS) {
      this.steps.shift();
      this.at -= 1;
    }
    this.lastField = field;
    this.lastTime = now;
  }

  /** @param {any} run whose nodes keep their ids where name or place say that they are the same */
  setRun(run) {
    const oldNodes = this.nodes;
    const oldIds = this.ids;
    const old = placesOf(oldNodes);
    this.run = run;
    const used = new Set();
    const ids = this.nodes.map(() => 0);
    for (const [key, at] of placesOf(this.nodes)) {
      const id = oldIds[old.get(key) ?? -1];
      if (at < 0 || id === undefined) continue;
      ids[at] = id;
      used.add(id);
    }
    this.ids = ids.map((id, at) => {
      if (id) return id;
      const there = oldIds[at];
      const isRenamed = oldNodes.length === this.nodes.length && there && !used.has(there) && kindOf(oldNodes[at].layer) === kindOf(this.nodes[at].layer);
      const next = isRenamed ? there : this.nextId++;
      used.add(next);
      return next;
    });
  }

  /** @param {{toml: string} | {run: any}} body */
  askSoon(body) {
    clearTimeout(this.timer);
    this.asking.abort();
    this.isChecking = true;
    this.isTextAhead = "toml" in body;
    this.timer = setTimeout(() => this.ask(body), QUIET_MS);
  }

  /** @param {{toml: string} | {run: any}} body the last one asked counts */
  async ask(body) {
    clearTimeout(this.timer);
    this.asking.abort();
    this.asking = new AbortController();
    const { signal } = this.asking;
    this.isChecking = true;
    this.isTextAhead = "toml" in body;
    try {
      const answer = await post("/api/check", body, { signal });
      if (signal.aborted) return;
      this.take(answer, "toml" in body);
    } catch (error) {
      if (isAbort(error) || signal.aborted) return;
      this.isChecking = false;
      this.waiting = [];
      this.trouble = error instanceof Error ? error.message : String(error);
      this.tell("run");
      this.tell("answer");
    }
  }

  /** @param {Answer} answer @param {boolean} isOfText */
  take(answer, isOfText) {
    this.isChecking = false;
    this.trouble = null;
    this.answer = answer;
    const isWhole = Array.isArray(answer.run?.network?.node);
    if (isWhole) this.setRun(answer.run);
    this.isTextAhead = isOfText && !isWhole;
    if (!isOfText && answer.toml !== null) this.text = answer.toml;
    const step = this.steps[this.at];
    if (step) Object.assign(step, { text: this.text, run: this.run && structuredClone(this.run) });
    if (isWhole) this.tell("run");
    if (!isOfText && answer.toml !== null) this.tell("text");
    this.tell("answer");
    this.editWaiting();
  }

  /** @param {News} what */
  tell(what) {
    for (const listener of this.listeners) listener(what);
  }
}

/**
 * Where the node of each name and kind stands; −1 where several have both, as then these do not say which is which.
 * @param {import("./layer.js").Node[]} nodes @returns {Map<string, number>}
 */
function placesOf(nodes) {
  const places = new Map();
  nodes.forEach((node, at) => {
    const key = `${nameOf(node, at)} ${kindOf(node.layer)}`;
    places.set(key, places.has(key) ? -1 : at);
  });
  return places;
}
