/** The blocks that there are, by group: a click adds one after the chosen block, a drag puts it where it falls. */

import { el } from "../dom.js";
import { t, words } from "../i18n.js";
import { draggable } from "./drag.js";

/** @param {any[]} kinds @param {{add: (layer: any, at?: number) => void, list: () => HTMLElement}} target */
export function paletteView(kinds, target) {
  const groups = [...new Set(kinds.map(({ group }) => group))];
  return el("nav", { class: "palette", "aria-label": t("palette.title") }, groups.map((group) =>
    el("section", { data: { group } }, el("h3", {}, words(`group.${group}`, group)),
      el("ul", {}, kinds.filter((kind) => kind.group === group).map((kind) => el("li", {}, item(kind, target)))))));
}

/** @param {any} kind @param {{add: (layer: any, at?: number) => void, list: () => HTMLElement}} target */
function item(kind, target) {
  const about = words(`kind.${kind.kind}`, kind.about);
  const button = el("button", { class: "block-kind", title: about, data: { kind: kind.kind }, onclick: () => target.add(kind.example) }, kind.kind);
  draggable(button, { list: target.list, ghost: kind.kind, drop: (at) => target.add(kind.example, at) });
  return button;
}
