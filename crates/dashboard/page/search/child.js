/** Networks of children: fetched once, opened as blocks, shown under the pointer. */

import { get } from "../api.js";
import { pack } from "../blocks/link.js";
import { complain, debounce, el, replace } from "../dom.js";
import { count } from "../format.js";
import { t } from "../i18n.js";
import { go } from "../router.js";
import { studyPath, trialHash } from "../studies/path.js";
import { valueText } from "../studies/show.js";
import { picture } from "./picture.js";

/** Networks that are kept. */
const MOST = 300;

export class Networks {
  /** @param {string} id @param {AbortSignal} signal */
  constructor(id, signal) {
    this.id = id;
    this.signal = signal;
    /** @type {Map<number, Promise<import("./picture.js").Drawing>>} */
    this.known = new Map();
  }

  /** @param {number} number @returns {Promise<import("./picture.js").Drawing>} */
  of(number) {
    const known = this.known.get(number);
    if (known) return known;
    const asked = get(studyPath(this.id, `networks/${number}`), { signal: this.signal });
    this.known.set(number, asked);
    const forget = () => this.known.delete(number);
    // What is not known yet may be known later.
    asked.then((drawing) => drawing.nodes.length === 0 && forget(), forget);
    if (this.known.size > MOST) this.known.delete(/** @type {number} */ (this.known.keys().next().value));
    return asked;
  }

  /** Opens the child's network as blocks. @param {number} number */
  async open(number) {
    try {
      const hash = await blocksHash(await this.of(number));
      if (!this.signal.aborted) go(hash ?? trialHash(this.id, number));
    } catch (error) {
      if (!this.signal.aborted) complain(error);
    }
  }
}

/** Where a network stands as blocks. @param {import("./picture.js").Drawing} drawing */
async function blocksHash(drawing) {
  if (drawing.run) return `#/blocks?${new URLSearchParams({ run: drawing.run })}`;
  return drawing.toml ? `#/blocks?s=${await pack(drawing.toml)}` : null;
}

/** The picture as a button that opens the blocks. @param {Networks} networks @param {import("./picture.js").Drawing} drawing */
export function pictureButton(networks, drawing) {
  if (drawing.nodes.length === 0) return el("span", { class: "muted small" }, t("search.noPicture"));
  return el("button", { class: "picture", title: t("study.asBlocks"), data: { opens: drawing.number }, onclick: () => networks.open(drawing.number) }, picture(drawing));
}

/**
 * The child under the pointer, or the one that was pressed; without either the best.
 * @typedef {{number: number, value: number | null, note?: string}} Shown
 */
export class ChildCard {
  /** @param {string} id @param {import("../studies/show.js").Objective} objective @param {Networks} networks */
  constructor(id, objective, networks) {
    this.id = id;
    this.networks = networks;
    this.node = el("div", { class: "child-card", data: { test: "child" } });
    /** @type {Shown | null} */
    this.wanted = null;
    /** Whether that is the best, which may become another. */
    this.isBest = true;
    this.objective = objective;
    this.drawSoon = debounce(60, () => this.draw());
  }

  /** @param {Shown} child @param {boolean} [isBest] */
  show(child, isBest = false) {
    this.isBest = isBest;
    if (this.wanted?.number === child.number && this.wanted.note === child.note) return;
    this.wanted = child;
    this.drawSoon();
  }

  async draw() {
    const child = this.wanted;
    if (!child || this.networks.signal.aborted) return;
    const drawing = await this.networks.of(child.number).catch(() => null);
    if (this.wanted !== child) return;
    const facts = [
      valueText(child.value, this.objective),
      drawing && drawing.nodes.length > 0 && t("search.size", { parameters: count(drawing.parameters), multiplyAdds: count(drawing.multiply_adds) }),
      child.note,
    ];
    replace(this.node,
      el("p", { class: "child-facts" }, el("a", { href: trialHash(this.id, child.number) }, t("search.child", { n: child.number })), facts.map((fact) => fact && el("span", {}, fact))),
      drawing && el("div", { class: "scroll" }, pictureButton(this.networks, drawing)));
    this.node.dataset.child = String(child.number);
  }
}

/**
 * Points of a chart show their child in a card. A finger cannot hover, so its press only shows the child, and the picture
 * opens it; any other press, or one without a card, opens it at once.
 * @param {any} chart @param {Networks} networks @param {ChildCard | null} card @param {(number: number) => Shown} child
 */
export function showOnHover(chart, networks, card, child) {
  if (chart.dataset.opens) return;
  chart.dataset.opens = "true";
  let isTouch = false;
  chart.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => (isTouch = event.pointerType === "touch"), { capture: true });
  const numberOf = (/** @type {any} */ event) => event.points[0]?.customdata;
  if (card) chart.on("plotly_hover", (/** @type {any} */ event) => typeof numberOf(event) === "number" && card.show(child(numberOf(event))));
  chart.on("plotly_click", (/** @type {any} */ event) => {
    const number = numberOf(event);
    if (typeof number !== "number") return;
    card?.show(child(number));
    if (!card || !isTouch) networks.open(number);
  });
}
