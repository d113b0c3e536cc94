/** Test images: the hardest ones, and those of a cell of the confusion matrix in a dialog. */

import { get, runPath } from "./api.js";
import { complain, el, replace } from "./dom.js";
import { count, percent } from "./format.js";
import { t } from "./i18n.js";

const PAGE = 60;

/** @param {string} id @param {string[]} classes @param {(idx: number) => void} choose */
export function hardestView(id, classes, choose) {
  const grid = el("div", { class: "images" });
  const note = el("p", { class: "muted" });
  /** @param {{total: number, images: any[]}} worst */
  function update({ total, images }) {
    note.textContent = total ? t("images.wrong", { n: count(total) }) : t("images.none");
    replace(grid, images.map((image) => tile(id, image, classes, () => choose(image.idx))));
  }
  return { node: el("div", {}, note, grid), update };
}

/** @param {string} id @param {string[]} classes @param {(idx: number) => void} choose */
export function imagesDialog(id, classes, choose) {
  const title = el("h2", { id: "images-title" });
  const grid = el("div", { class: "images" });
  const more = el("button", { onclick: () => load().catch(complain) }, t("images.more"));
  const close = el("button", { class: "quiet icon", "aria-label": t("close"), onclick: () => node.close() }, "×");
  const node = el("dialog", { class: "sheet", "aria-labelledby": "images-title" }, el("header", {}, title, close), grid, more);
  node.addEventListener("click", (/** @type {MouseEvent} */ event) => event.target === node && node.close());
  /** @type {{label: number, predicted: number, offset: number}} */
  let cell = { label: 0, predicted: 0, offset: 0 };

  async function load() {
    const asked = cell;
    const { total, images } = await get(runPath(id, "images"), { query: { ...asked, order: "hardest", limit: PAGE } });
    if (asked !== cell) return;
    title.textContent = t("images.cell", { label: classes[asked.label], predicted: classes[asked.predicted], n: count(total) });
    const pick = (/** @type {any} */ image) => () => {
      node.close();
      choose(image.idx);
    };
    grid.append(...images.map((/** @type {any} */ image) => tile(id, image, classes, pick(image))));
    if (total === 0) replace(grid, el("p", { class: "muted" }, t("images.none")));
    cell = { ...asked, offset: asked.offset + images.length };
    more.hidden = cell.offset >= total;
  }

  /** @param {number} label @param {number} predicted */
  function open(label, predicted) {
    cell = { label, predicted, offset: 0 };
    replace(grid);
    title.textContent = "…";
    more.hidden = true;
    node.showModal();
    load().catch(complain);
  }
  return { node, open };
}

/** An image as a button, with what it is and what it was taken for. @param {string} id @param {any} image @param {string[]} classes @param {() => void} onclick */
function tile(id, image, classes, onclick) {
  const right = image.label === image.predicted;
  const alt = t("images.alt", { idx: image.idx, label: classes[image.label] });
  return el("button", { class: "tile", title: t("images.look"), data: { idx: image.idx }, onclick },
    el("img", { src: runPath(id, `image/${image.idx}.png`), alt, loading: "lazy", decoding: "async" }),
    el("span", { class: "is" }, classes[image.label]),
    el("span", { class: right ? "right" : "wrong" }, right ? "✓ " : "→ ", classes[image.predicted], " ", percent(image.confidence, 0)));
}
