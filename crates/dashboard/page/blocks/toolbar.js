/** Undo and redo, the link, files, presets. */

import { announce, complain, el } from "../dom.js";
import { short } from "../format.js";
import { current, t } from "../i18n.js";
import { icon } from "./icons.js";
import { pack } from "./link.js";

/** @param {import("./store.js").Store} store */
export function toolbar(store) {
  const undo = tool("undo", t("blocks.undo"), () => store.go(-1));
  const redo = tool("redo", t("blocks.redo"), () => store.go(1));
  const copy = el("button", { type: "button", data: { test: "copy-link" }, onclick: () => copyLink(store, copy) }, t("blocks.copyLink"));
  const save = el("button", { type: "button", data: { test: "save" }, onclick: () => saveFile(store.text) }, t("blocks.save"));
  const file = el("input", { type: "file", accept: ".toml,text/plain", class: "visually-hidden", tabindex: "-1", "aria-hidden": "true", data: { test: "open-file" } });
  file.addEventListener("change", async () => {
    const [chosen] = file.files;
    file.value = "";
    if (chosen) await openFile(store, chosen);
  });
  const open = el("button", { type: "button", data: { test: "open" }, onclick: () => file.click() }, t("blocks.open"));
  const show = () => {
    undo.disabled = !store.canUndo;
    redo.disabled = !store.canRedo;
  };
  return { element: el("div", { class: "row tools", role: "toolbar", "aria-label": t("blocks.tools") }, undo, redo, copy, save, open, file), show };
}

/** @param {any[]} list @param {import("./store.js").Store} store */
export function presets(list, store) {
  const one = (/** @type {any} */ preset) => el("button", {
    type: "button", class: "preset", title: current() === "en" ? `${preset.about} · ${preset.source}` : preset.source,
    data: { test: `preset-${preset.name}` },
    onclick: async () => {
      await store.open(preset.toml);
      announce(t("blocks.opened", { name: preset.name }));
    },
  }, el("span", { class: "mono" }, preset.name), el("span", { class: "muted" }, short(preset.parameters)));
  const empty = el("button", { type: "button", class: "preset", data: { test: "preset-empty" }, onclick: () => store.edit("", (run) => {
    run.network = { ...run.network, name: "my-network", node: [] };
  }) }, t("blocks.fromNothing"));
  return el("section", { class: "presets", "aria-label": t("blocks.presets") }, el("h3", {}, t("blocks.presets")), el("div", { class: "row" }, list.map(one), empty));
}

/** @param {string} what @param {string} label @param {() => void} act */
function tool(what, label, act) {
  return el("button", { type: "button", class: "icon", title: label, "aria-label": label, data: { test: what }, onclick: act }, icon(what));
}

/** @param {import("./store.js").Store} store @param {HTMLElement} button */
async function copyLink(store, button) {
  const link = `${location.origin}${location.pathname}#/blocks?s=${await pack(store.text)}`;
  try {
    await navigator.clipboard.writeText(link);
  } catch {
    // Where the clipboard is refused the address has it.
    history.replaceState(null, "", link);
    announce(t("blocks.linkInAddress"));
    button.textContent = t("blocks.linkInAddress");
    return;
  }
  announce(t("blocks.copied"));
  button.textContent = t("blocks.copied");
  setTimeout(() => (button.textContent = t("blocks.copyLink")), 1600);
}

/** @param {string} text */
function saveFile(text) {
  const url = URL.createObjectURL(new Blob([text], { type: "application/toml" }));
  el("a", { href: url, download: "run.toml" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

const LARGEST = 1 << 20;

/** @param {import("./store.js").Store} store @param {File} file */
export async function openFile(store, file) {
  if (file.size > LARGEST) {
    complain(t("blocks.tooLarge", { name: file.name }));
    return;
  }
  await store.open(await file.text());
  announce(t("blocks.opened", { name: file.name }));
}
