/** Every block that there is, by groups; a click or a drag adds it. */

import { el } from "../dom.js";
import { t } from "../i18n.js";
import { KIND_TYPE } from "./list.js";
import { groupLabel, kindAbout, kindLabel } from "./words.js";

/** @param {any[]} blocks @param {(kind: string) => void} add */
export function palette(blocks, add) {
  const groups = [...new Set(blocks.map((block) => block.group))];
  const chip = (/** @type {any} */ block) => el("button", {
    type: "button",
    class: ["chip", `group-${block.group}`],
    draggable: "true",
    title: kindAbout(block),
    data: { test: `add-${block.kind}` },
    onclick: () => add(block.kind),
    ondragstart: (/** @type {DragEvent} */ event) => {
      event.dataTransfer?.setData(KIND_TYPE, block.kind);
      if (event.dataTransfer) event.dataTransfer.effectAllowed = "copy";
    },
  }, kindLabel(block.kind));
  const sections = groups.map((group) => el("section", { class: "palette-group" },
    el("h3", {}, groupLabel(group)),
    el("div", { class: "chips" }, blocks.filter((block) => block.group === group).map(chip))));
  const wide = matchMedia("(min-width: 900px)").matches;
  return el("details", { class: "card palette", open: wide, data: { test: "palette" } },
    el("summary", {}, el("h2", {}, t("blocks.palette"))),
    el("p", { class: "muted small" }, t("blocks.paletteHint")),
    el("div", { class: "palette-groups" }, sections));
}
