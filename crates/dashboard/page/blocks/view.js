/** The page on which a network is built out of blocks and sent to train. */

import { get } from "../api.js";
import { complain, debounce, el } from "../dom.js";
import { t } from "../i18n.js";
import { setAddress } from "../router.js";
import { blockList } from "./list.js";
import { pack, unpack } from "./link.js";
import { palette } from "./palette.js";
import { recipe } from "./recipe.js";
import { Store } from "./store.js";
import { textPart } from "./text.js";
import { openFile, presets, toolbar } from "./toolbar.js";
import { trainPart } from "./train.js";

const FIRST = "lenet";
/** What was on the page when it was left. */
let kept = "";

/** @param {HTMLElement} root @param {import("../router.js").Visit} visit */
export async function view(root, { query, signal }) {
  const head = el("div", { class: "head" }, el("h1", {}, t("blocks.title")));
  root.append(head, el("p", { class: "muted loading" }, t("shell.loading")));
  const [blocks, list, data] = await Promise.all(["/api/blocks", "/api/presets", "/api/data"].map((path) => get(path, { signal })));
  const text = await firstText(query, list);
  if (signal.aborted) return undefined;

  const store = new Store(text);
  const cards = blockList(store, new Map(blocks.map((/** @type {any} */ block) => [block.kind, block])));
  const tools = toolbar(store);
  const form = recipe(store, data);
  const written = textPart(store);
  const train = trainPart(store);
  head.append(tools.element);
  root.querySelector(".loading")?.remove();
  root.append(presets(list, store), el("div", { class: "workbench" },
    el("div", { class: "bench-left" }, palette(blocks, cards.add)),
    el("section", { class: "bench-middle", "aria-label": t("blocks.network") }, ends(store), cards.element),
    el("div", { class: "bench-right stack-wide" }, train.element, form.element, written.element)));

  const keepAddress = debounce(400, async () => {
    const packed = await pack(store.text);
    if (!signal.aborted) setAddress(`#/blocks?s=${packed}`);
  });
  store.listen((what) => {
    if (what === "run") {
      cards.render();
      form.show();
    }
    if (what === "answer") cards.render();
    written.show();
    if (what === "refused") written.reveal();
    train.show();
    tools.show();
    kept = store.text;
    if (what === "text" || what === "answer") keepAddress();
  });
  keys(store, signal);
  fileDrops(store, root, signal);
  signal.addEventListener("abort", () => store.close());
  await store.open(text);
  return undefined;
}

/** The link's text, a run's, what was here before, or the first preset. @param {URLSearchParams} query @param {any[]} list */
async function firstText(query, list) {
  try {
    const packed = query.get("s");
    if (packed) return await unpack(packed);
    const run = query.get("run");
    if (run) return (await get(`/api/runs/${encodeURIComponent(run)}`)).toml ?? "";
  } catch (error) {
    complain(t("blocks.badLink", { message: error instanceof Error ? error.message : String(error) }));
  }
  return kept || (list.find((preset) => preset.name === FIRST) ?? list[0])?.toml || "";
}

/** What goes in and how many classes come out. @param {import("./store.js").Store} store */
function ends(store) {
  const element = el("p", { class: "ends", data: { test: "ends" } });
  const show = () => {
    const network = store.run?.network;
    if (!network || typeof network !== "object") return;
    element.textContent = t("blocks.ends", { name: network.name ?? "", input: (network.input ?? []).join(" × "), classes: network.classes ?? "?" });
  };
  store.listen((what) => what === "run" && show());
  return element;
}

/** Ctrl+Z and Ctrl+Shift+Z outside of text fields, which have their own. @param {import("./store.js").Store} store @param {AbortSignal} signal */
function keys(store, signal) {
  addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
    const target = /** @type {HTMLElement} */ (event.target);
    const isText = target instanceof HTMLTextAreaElement || (target instanceof HTMLInputElement && !["checkbox", "radio", "range"].includes(target.type));
    const key = event.key.toLowerCase();
    if (isText || (key !== "z" && key !== "y")) return;
    event.preventDefault();
    store.go(key === "y" || event.shiftKey ? 1 : -1);
  }, { signal });
}

/** A run file that is dropped anywhere on the page. @param {import("./store.js").Store} store @param {HTMLElement} root @param {AbortSignal} signal */
function fileDrops(store, root, signal) {
  const hasFile = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
  root.addEventListener("dragover", (event) => hasFile(event) && event.preventDefault(), { signal });
  root.addEventListener("drop", (event) => {
    if (!hasFile(event)) return;
    event.preventDefault();
    const file = event.dataTransfer?.files[0];
    if (file) openFile(store, file).catch(complain);
  }, { signal });
}
