/** The page of one run; while it learns, all of it follows. */

import { events, get, isAbort, runPath } from "./api.js";
import { complain, el, replace, throttle } from "./dom.js";
import { confusionView } from "./confusion.js";
import { curvesView, fetchCurves, follow } from "./curves.js";
import { t } from "./i18n.js";
import { hardestView, imagesDialog } from "./images.js";
import { layersTable } from "./layers.js";
import { filtersView, insideView } from "./inside.js";
import { again, fail } from "./router.js";
import { figuresView, headView, liveView } from "./run_head.js";
import { studyHash } from "./studies/path.js";

/** @param {HTMLElement} root @param {import("./router.js").Visit} visit */
export async function view(root, { parts: [id], signal }) {
  const place = el("div");
  const crumb = el("p", { class: "crumb" }, el("a", { href: "#/runs" }, t("nav.runs")));
  replace(root, crumb, el("h1", {}, id), place);
  const [detail, curves] = await Promise.all([get(runPath(id), { signal }), fetchCurves(id, signal)]);
  if (detail.trial) replace(crumb, el("a", { href: "#/studies" }, t("nav.studies")), " / ", el("a", { href: studyHash(detail.trial.study) }, detail.trial.study));
  const head = headView(detail, signal);
  const live = liveView(curves);
  head.update(detail.row);
  live.update(detail.row);
  if (!detail.data) return waitForRecord(id, detail, place, head, live, signal);
  const figures = figuresView();
  const chart = curvesView(curves, signal);
  const pictures = picturesView(id, detail, signal);
  replace(place, head.node, live.node, figures.node,
    section("curves", t("run.curves"), chart.node), pictures.node, section("layers", t("run.layers"), layersTable(detail.layers)),
    section("files", t("run.files"), filesView(id, detail)));
  figures.update(detail.row, curves);
  // A trial of a study keeps its figures, but no model.
  const hasPictures = !detail.trial || detail.files.includes("model.safetensors");
  if (detail.row.n_epochs > 0 && hasPictures) pictures.refresh();

  return follow(id, curves, {
    epoch: (record) => {
      if (!curves.push(record)) return;
      chart.grown();
      live.epoch(record);
      if (hasPictures) pictures.refresh();
    },
    progress: live.progress,
    gone: () => fail(new Error(t("run.gone"))),
    state: (row) => {
      if (isReplaced(row, curves)) return again();
      head.update(row);
      live.update(row);
      figures.update(row, curves);
    },
  }, signal);
}

/**
 * Whether another run took the folder, as `danlu train --force` lets it. It may have come as far since the last look.
 * @param {any} row @param {import("./curves.js").Curves} curves
 */
function isReplaced(row, curves) {
  if (row.state === "unreadable") return false;
  return row.n_epochs < curves.nEpochs || (row.n_epochs === curves.nEpochs && row.loss !== curves.last("loss"));
}

/**
 * A run that still reads its data has no record; the whole page comes with its first news.
 * @param {string} id @param {any} detail @param {Element} place @param {any} head @param {any} live @param {AbortSignal} signal
 */
function waitForRecord(id, detail, place, head, live, signal) {
  const log = detail.log ?? "";
  replace(place, head.node, live.node, detail.row.state === "running" && el("p", { class: "nothing" }, t("run.waiting")), log && el("pre", {}, log));
  events(runPath(id, "events"), {
    progress: again,
    epoch: again,
    state: (row) => (row.state === detail.row.state && row.epochs_planned === detail.row.epochs_planned ? head.update(row) : again()),
  }, signal);
}

/** What comes of the predictions and weights: fetched anew a while after an epoch. @param {string} id @param {any} detail @param {AbortSignal} signal */
function picturesView(id, detail, signal) {
  const dialog = imagesDialog(id, detail.data.classes, (idx) => inside.choose(idx));
  const confusion = confusionView(dialog.open);
  const hardest = hardestView(id, detail.data.classes, (idx) => inside.choose(idx));
  const filters = filtersView();
  const inside = insideView(id, detail.data, signal);
  const node = el("div", { hidden: true }, section("confusion", t("run.confusion"), confusion.node), section("hardest", t("run.hardest"), hardest.node),
    section("filters", t("run.filters"), filters.node), section("inside", t("run.inside"), inside.node), dialog.node);

  const convolves = detail.layers.some((/** @type {any} */ layer) => layer.layer.includes("conv2d"));

  async function fetchAll() {
    const [matrix, worst, weights] = await Promise.all([
      get(runPath(id, "confusion"), { signal }).catch(absent),
      get(runPath(id, "images"), { query: { wrong: 1, order: "hardest", limit: 24 }, signal }).catch(absent),
      convolves ? get(runPath(id, "filters"), { signal }).catch(absent) : null,
    ]);
    node.hidden = false;
    if (matrix) confusion.update(matrix);
    if (worst) hardest.update(worst);
    // Runs of danlu 0.1.0 keep no predictions.
    show(confusion.node, matrix !== null);
    show(hardest.node, worst !== null);
    filters.update(weights);
    if (inside.isChosen()) inside.refresh();
    else inside.choose(worst?.images[0]?.idx ?? 0, false);
  }

  const refresh = throttle(2000, () => fetchAll().catch((error) => isAbort(error) || complain(error)));
  return { node, refresh };
}

/** @param {Element} part @param {boolean} on */
function show(part, on) {
  const whole = /** @type {HTMLElement | null} */ (part.closest("section"));
  if (whole) whole.hidden = !on;
}

/** @param {any} error */
function absent(error) {
  if (error.status === 404) return null;
  throw error;
}

/** @param {string} name @param {string} title @param {any} content */
function section(name, title, content) {
  return el("section", { class: `part ${name}`, "aria-labelledby": `h-${name}` }, el("h2", { id: `h-${name}` }, title), content);
}

/** The run file, a way to build on it, and what can be downloaded. @param {string} id @param {any} detail */
function filesView(id, detail) {
  const link = (/** @type {string} */ name) => el("li", {}, el("a", { href: runPath(id, `file/${encodeURIComponent(name)}`), download: `${id}-${name}` }, name));
  const { machine } = detail;
  const facts = [
    [t("run.data"), `${detail.data.name} (${detail.data.dir})`], [t("run.machine"), `${machine.cpu ?? machine.arch}, ${machine.isa}, ${t("run.threads", { n: machine.threads })}`],
    [t("run.version"), `danlu ${detail.danlu}`], [t("run.hash"), detail.parameters_hash ?? "–"],
  ];
  return el("div", {},
    el("ul", { class: "file-list" }, detail.files.map(link)),
    el("p", {}, el("a", { class: "button", href: `#/blocks?${new URLSearchParams({ run: id })}` }, t("run.openInBlocks"))),
    el("dl", { class: "run-facts" }, facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)))),
    el("details", {}, el("summary", {}, "run.toml"), el("pre", { tabindex: "0", "aria-label": "run.toml" }, detail.toml)));
}
