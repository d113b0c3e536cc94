/** Several runs' curves in one chart. */

import { events, get, runPath } from "./api.js";
import { complain, el, replace, throttle } from "./dom.js";
import { Curves, fetchCurves, wholeTicks } from "./curves.js";
import { count, decimal, duration, percent } from "./format.js";
import { t } from "./i18n.js";
import { CONFIG, RUN_COLORS, axis, layout, plotly } from "./plot.js";
import { setAddress } from "./router.js";
import { chartText } from "./studies/points.js";

const METRICS = ["test_accuracy", "validation_accuracy", "train_accuracy", "loss", "validation_loss", "learning_rate", "images_per_s"];
const DASHES = ["solid", "dash", "dot", "dashdot"];

/** @param {HTMLElement} root @param {import("./router.js").Visit} visit */
export async function view(root, { query, signal }) {
  const ids = [...new Set(query.getAll("run"))];
  let metric = METRICS.find((name) => name === query.get("metric")) ?? METRICS[0];
  const chart = el("div", { class: "chart tall", role: "img", "aria-label": t("compare.describe", { n: ids.length }) });
  const table = el("div", { class: "scroll" });
  const choice = el("select", { id: "metric", onchange: () => choose(choice.value) }, METRICS.map((name) => el("option", { value: name }, t(`curve.${name}`))));
  choice.value = metric;
  replace(root, el("p", { class: "crumb" }, el("a", { href: "#/runs" }, t("nav.runs"))), el("h1", {}, t("compare.title")),
    el("p", { class: "toolbar" }, el("label", { for: "metric" }, t("compare.metric")), choice), chart, table);

  /** @type {Map<string, {curves: Curves, row: any}>} */
  const runs = new Map();
  const load = async (/** @type {string} */ id) => {
    const [curves, detail] = await Promise.all([fetchCurves(id, signal), get(runPath(id), { signal })]);
    runs.set(id, { curves, row: detail.row });
  };
  const draw = throttle(400, () => drawAll().catch(console.error));
  await Promise.all(ids.map((id) => load(id).catch(complain)));
  draw();
  replace(table, figures(ids, runs));
  document.addEventListener("theme", draw, { signal });
  events("/api/events", { run: (row) => ids.includes(row.id) && load(row.id).then(update, console.error) }, signal);

  function update() {
    draw();
    replace(table, figures(ids, runs));
  }

  /** @param {string} to */
  function choose(to) {
    metric = to;
    setAddress(`#/compare?${new URLSearchParams([...ids.map((id) => ["run", id]), ["metric", to]])}`);
    draw();
  }

  async function drawAll() {
    const library = await plotly();
    if (signal.aborted) return;
    // Numbered over all, as in the table, also where some could not be loaded.
    const traces = ids.map((id, idx) => trace(id, idx, runs.get(id)?.curves, metric)).filter((one) => one !== null);
    const longest = Math.max(0, ...[...runs.values()].map(({ curves }) => curves.nEpochs));
    const share = metric.endsWith("accuracy");
    await library.react(chart, traces, layout({
      xaxis: axis({ title: { text: t("curves.epoch"), standoff: 6 }, showgrid: false, tickformat: ",d", ...wholeTicks(longest) }),
      yaxis: axis({ title: { text: t(`curve.${metric}`) }, tickformat: share ? ".1~%" : "" }),
    }), CONFIG);
  }
}

/** @param {string} id @param {number} idx @param {Curves | undefined} curves @param {string} metric */
function trace(id, idx, curves, metric) {
  if (!curves) return null;
  const single = curves.columns[metric].filter((value) => value !== null).length === 1;
  return {
    x: curves.columns.epoch, y: curves.columns[metric], name: chartText(id), mode: single ? "markers" : "lines",
    line: { color: color(idx), dash: dash(idx), width: 2 }, marker: { color: color(idx), size: 7 },
    hovertemplate: metric.endsWith("accuracy") ? "%{y:.2%}" : "%{y:.4~g}",
  };
}

/** @param {number} idx */
function color(idx) {
  return RUN_COLORS[idx % RUN_COLORS.length];
}

/** @param {number} idx */
function dash(idx) {
  return DASHES[Math.floor(idx / RUN_COLORS.length) % DASHES.length];
}

/** @param {string[]} ids @param {Map<string, {row: any}>} runs */
function figures(ids, runs) {
  const head = ["name", "test_accuracy", "train_accuracy", "loss", "epochs", "parameters", "seconds"];
  const line = (/** @type {string} */ id, /** @type {number} */ idx) => {
    const row = runs.get(id)?.row;
    if (!row) return null;
    const sample = el("span", { class: `sample ${dash(idx)}`, css: { "--line": color(idx) }, "aria-hidden": "true" });
    return el("tr", {}, el("th", { scope: "row" }, sample, el("a", { href: `#/runs/${encodeURIComponent(id)}` }, id)),
      [percent(row.test_accuracy), percent(row.train_accuracy), decimal(row.loss), count(row.n_epochs), count(row.parameters), duration(row.seconds)]
        .map((text) => el("td", { class: "n" }, text)));
  };
  return el("table", { class: "plain" },
    el("thead", {}, el("tr", {}, head.map((name, idx) => el("th", { scope: "col", class: idx ? "n" : "" }, t(`runs.${name}`))))),
    el("tbody", {}, ids.map(line)));
}
