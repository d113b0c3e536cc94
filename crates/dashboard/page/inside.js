/** Inside a run's network: its first filters, and what each layer makes of a test image. */

import { get, isAbort, runPath } from "./api.js";
import { complain, el, replace } from "./dom.js";
import { count } from "./format.js";
import { t } from "./i18n.js";
import { filterPictures, signedScale } from "./filters.js";
import { bars } from "./try/bars.js";
import { mapTiles } from "./try/maps.js";

export function filtersView() {
  const node = el("div");
  /** @param {any} filters or null where there is no convolution */
  function update(filters) {
    const section = /** @type {HTMLElement | null} */ (node.closest("section"));
    if (section) section.hidden = filters === null;
    if (filters === null) return;
    const about = t("filters.about", { node: filters.node, n: filters.dims[0], shape: `${filters.dims[1]} × ${filters.dims[2]} × ${filters.dims[3]}` });
    replace(node, el("p", { class: "muted" }, about), el("div", { class: "filter-row" }, filterPictures(filters)), signedScale());
  }
  return { node, update };
}

/** @param {string} id @param {{n_test: number, classes: string[]}} data @param {AbortSignal} signal */
export function insideView(id, data, signal) {
  const number = el("input", { type: "number", id: "inside-idx", min: 0, max: Math.max(0, data.n_test - 1), value: 0, onchange: () => choose(Number(number.value), false) });
  const any = el("button", { onclick: () => choose(Math.floor(Math.random() * data.n_test), false) }, t("inside.random"));
  const onward = el("a", { class: "button" }, t("inside.try"));
  const place = el("div", { class: "inside-place" });
  const node = el("div", {}, el("div", { class: "toolbar" }, el("label", { for: "inside-idx" }, t("inside.image")), number, el("span", { class: "muted" }, t("inside.of", { n: count(data.n_test) })), any, onward), place);
  let chosen = -1;
  let nAsked = 0;

  /** @param {number} idx @param {boolean} [scroll] */
  async function choose(idx, scroll = true) {
    if (!Number.isInteger(idx) || idx < 0 || idx >= data.n_test) return;
    chosen = idx;
    number.value = String(idx);
    onward.href = `#/try/${encodeURIComponent(id)}?index=${idx}`;
    if (scroll) {
      node.closest("section")?.scrollIntoView({ block: "start" });
      number.focus({ preventScroll: true });
    }
    await refresh();
  }

  /** Looks at the chosen image with the network as it is now; the last look counts. */
  async function refresh() {
    nAsked += 1;
    const mine = nAsked;
    try {
      const seen = await get(runPath(id, `try/${chosen}`), { signal });
      const picture = el("img", { src: seen.image, alt: t("seen.picture"), class: "as-seen" });
      // Once decoded it has its size at once, and nothing below it moves.
      await picture.decode().catch(() => {});
      if (mine === nAsked) replace(place, seenBlock(picture, seen, data.classes));
    } catch (error) {
      if (!isAbort(error)) complain(error);
    }
  }
  return { node, choose, refresh, isChosen: () => chosen >= 0 };
}

/** @param {HTMLElement} picture @param {any} seen @param {string[]} classes */
function seenBlock(picture, seen, classes) {
  const chances = bars();
  chances.show(seen.predictions, seen.label === null ? null : classes[seen.label]);
  return [el("div", { class: "inside-seen" }, picture, chances.element), mapTiles(seen.layers)];
}
