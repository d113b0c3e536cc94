/** The page on which a trained network is tried: a drawing, a picture of one's own or a test picture. */

import { get, isAbort, post, runPath } from "../api.js";
import { announce, complain, debounce, el, replace } from "../dom.js";
import { percent } from "../format.js";
import { t } from "../i18n.js";
import { go } from "../router.js";
import { bars } from "./bars.js";
import { drawing } from "./drawing.js";
import { mapTiles } from "./maps.js";
import { ownPicture } from "./own.js";

const QUIET_MS = 120;
const MOST_RUNS = 200;

/** @param {HTMLElement} root @param {import("../router.js").Visit} visit */
export async function view(root, { id, query, signal }) {
  const head = el("div", { class: "head" }, el("h1", {}, t("try.title")));
  const loading = el("p", { class: "muted" }, t("shell.loading"));
  root.append(head, loading);
  const { runs } = await get("/api/runs", { query: { sort: "modified", order: "desc", limit: MOST_RUNS }, signal });
  const learned = runs.filter((/** @type {any} */ row) => row.n_epochs > 0);
  loading.remove();
  const chosen = id ?? (learned.find((/** @type {any} */ row) => row.state === "finished") ?? learned[0])?.id;
  if (!chosen) {
    root.append(nothing());
    return;
  }
  head.append(runChoice(learned, chosen));
  const detail = await get(runPath(chosen), { signal }).catch(complain);
  if (signal.aborted) return;
  page(root, chosen, detail?.data ?? null, query, signal);
}

function nothing() {
  return el("div", { class: "card empty stack" }, el("p", {}, t("try.noRuns")), el("p", {}, el("a", { class: "button button-primary", href: "#/blocks" }, t("try.build"))));
}

/** @param {any[]} rows @param {string} chosen */
function runChoice(rows, chosen) {
  const ids = rows.map((row) => row.id);
  const select = el("select", { data: { test: "try-run" }, onchange: () => go(`#/try/${encodeURIComponent(select.value)}`) },
    ids.includes(chosen) ? null : el("option", { value: chosen }, chosen),
    rows.map((row) => el("option", { value: row.id }, row.test_accuracy === null ? row.id : `${row.id} · ${percent(row.test_accuracy, 1)}`)));
  select.value = chosen;
  return el("div", { class: "row" },
    el("label", { class: "row" }, el("span", { class: "muted" }, t("try.run")), select),
    el("a", { href: `#/runs/${encodeURIComponent(chosen)}` }, t("try.openRun")));
}

/**
 * @param {HTMLElement} root
 * @param {string} id
 * @param {any} data
 * @param {URLSearchParams} query
 * @param {AbortSignal} signal
 */
function page(root, id, data, query, signal) {
  const chart = bars();
  const verdict = el("p", { class: "try-verdict", role: "status", data: { test: "verdict" } }, t("try.hint"));
  const seen = el("img", { class: "seen", alt: t("try.seen"), hidden: true, data: { test: "seen" } });
  const maps = el("div", { class: "maps-holder" });
  const refusal = el("p", { class: "error", role: "alert", hidden: true, data: { test: "try-error" } });
  let asking = new AbortController();

  /** @param {(signal: AbortSignal) => Promise<any>} request the last one counts */
  async function ask(request) {
    asking.abort();
    asking = new AbortController();
    const own = asking.signal;
    try {
      const answer = await request(own);
      if (!own.aborted && !signal.aborted) show(answer);
    } catch (error) {
      if (isAbort(error) || own.aborted) return;
      refusal.textContent = error instanceof Error ? error.message : String(error);
      refusal.hidden = false;
    }
  }

  /** @param {any} answer */
  function show(answer) {
    refusal.hidden = true;
    const label = typeof answer.label === "number" ? data?.classes?.[answer.label] ?? null : answer.label;
    chart.show(answer.predictions, label);
    const best = answer.predictions[0];
    verdict.textContent = t("try.says", { class: best.class, percent: percent(best.probability, 1) });
    seen.src = answer.image;
    seen.hidden = false;
    replace(maps, mapTiles(answer.layers));
  }

  function forget() {
    asking.abort();
    chart.show([], null);
    verdict.textContent = t("try.hint");
    seen.hidden = true;
    refusal.hidden = true;
    replace(maps, el("p", { class: "muted small" }, t("try.mapsHint")));
  }

  const askPicture = (/** @type {Blob} */ blob) => ask((own) => post(runPath(id, "try"), blob, { signal: own }));
  const soon = debounce(QUIET_MS, async () => {
    const blob = board.isEmpty() ? null : await board.blob();
    if (blob && !signal.aborted) askPicture(blob);
  });
  const board = drawing(soon);
  const wipe = () => {
    board.clear();
    forget();
    announce(t("try.cleared"));
  };
  // A picture that is not drawn here stands on the board as the network sees it.
  const askAndPut = (/** @type {(signal: AbortSignal) => Promise<any>} */ request) => ask(async (own) => {
    const answer = await request(own);
    if (!own.aborted) board.put(answer.image);
    return answer;
  });
  const own = ownPicture(root, signal, (blob) => askAndPut((signal) => post(runPath(id, "try"), blob, { signal })));
  const test = testPicture(data?.n_test ?? 0, (idx) => askAndPut((signal) => get(runPath(id, `try/${idx}`), { signal })));
  signal.addEventListener("abort", () => asking.abort());

  root.append(el("div", { class: "try" },
    el("section", { class: "card stack try-input", "aria-label": t("try.input") },
      el("h2", {}, t("try.draw")),
      board.canvas,
      el("div", { class: "row" }, el("button", { type: "button", data: { test: "clear" }, onclick: wipe }, t("try.clear")), own.element),
      el("p", { class: "muted small" }, t("try.own")),
      test.element),
    el("section", { class: "card stack try-answer", "aria-label": t("try.answer") },
      el("div", { class: "try-head" }, el("h2", {}, t("try.answer")), el("figure", { class: "seen-holder" }, seen, el("figcaption", { class: "muted small" }, t("try.seen")))),
      verdict, refusal, chart.element)),
  el("section", { class: "card stack try-maps" }, el("h2", {}, t("try.maps")), maps));
  forget();
  const first = query.get("index");
  if (first !== null && /^\d+$/.test(first)) test.take(Number(first));
}

/** One of the test pictures, by its place or by chance. @param {number} n @param {(idx: number) => void} chosen */
function testPicture(n, chosen) {
  const input = el("input", { type: "number", min: 0, max: Math.max(0, n - 1), step: 1, value: 0, data: { test: "test-index" } });
  const take = (/** @type {number} */ idx) => {
    input.value = String(idx);
    chosen(idx);
  };
  const form = el("form", { class: "row test-picture" },
    el("label", { class: "field" }, el("span", {}, n > 0 ? t("try.index", { last: n - 1 }) : t("try.indexAny")), input),
    el("button", { type: "submit", data: { test: "test-show" } }, t("try.show")),
    el("button", { type: "button", data: { test: "test-random" }, onclick: () => take(Math.floor(Math.random() * Math.max(1, n))) }, t("try.random")));
  form.addEventListener("submit", (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (input.value !== "") chosen(Number(input.value));
  });
  return { element: form, take };
}
