/** The top of a study's page: how it stands, how far it is, the best. */

import { events, get, isAbort, post, whenStarted } from "../api.js";
import { announce, complain, el, replace, replaceButtons, replaceByWords } from "../dom.js";
import { count, duration } from "../format.js";
import { t } from "../i18n.js";
import { again, fail } from "../router.js";
import { stateChip } from "../state.js";
import { stateBar } from "./list.js";
import { studyPath, trialHash } from "./path.js";
import { objectiveName, objectiveText, valueText } from "./show.js";
import { paramText } from "./table.js";

/** @param {any} first @param {AbortSignal} signal @param {{best?: boolean}} [options] whether the parameters of the best are told */
export function headView(first, signal, { best: tellsBest = true } = {}) {
  const chip = el("span");
  const about = el("p", { class: "muted" });
  const reason = el("p", { class: "bad-text" });
  const buttons = el("div", { class: "actions" });
  const links = el("span");
  const bar = el("progress", { max: 1, value: 0, "aria-label": t("live.progress") });
  const line = el("p", { class: "live-line" });
  const live = el("div", { class: "live" }, bar, line);
  const figures = el("dl", { class: "figures" });
  const best = el("div", { class: "best-params", hidden: !tellsBest });
  const node = el("div", {}, el("div", { class: "run-head" }, chip, about, links, buttons, reason), live, figures, best);
  let state = "";

  /** @param {any} detail */
  function update({ row, progress, best: bestTrial }) {
    if (state && row.state !== state) announce(t("run.isNow", { id: row.id, state: t(`studyState.${row.state}`) }));
    if (row.state !== state) replaceButtons(buttons, first.is_ours && actions(row));
    state = row.state;
    replace(chip, stateChip(row, "studyState"));
    reason.textContent = row.reason ?? "";
    reason.hidden = !row.reason;
    const isUnreadable = state === "unreadable";
    for (const one of [about, buttons, live, figures]) one.hidden = isUnreadable;
    best.hidden = isUnreadable || !tellsBest;
    if (isUnreadable) return;
    replace(about, row.name && row.name !== row.id && `${row.name} · `, row.objectives.map((/** @type {any} */ one, /** @type {number} */ idx) => [idx > 0 && ", ", objectiveText(one)]),
      [row.sampler && t("study.sampler", { name: row.sampler }), row.pruner && row.pruner !== "none" && t("study.pruner", { name: row.pruner })].filter(Boolean).map((words) => ` · ${words}`));
    updateProgress(row, progress);
    replace(figures, figuresOf(row, progress, bestTrial).map(([name, value]) => el("div", { data: { figure: name } }, el("dt", {}, has(name) ? t(`study.figure.${name}`) : name), el("dd", {}, value))));
    replace(best, tellsBest && bestTrial && row.objectives.length === 1 && [el("a", { href: trialHash(row.id, bestTrial.number) }, t("study.bestTrial", { n: bestTrial.number })),
      Object.entries(bestTrial.params).map(([name, value]) => el("span", { class: "tag" }, el("span", {}, name), el("b", {}, paramText(/** @type {string} */ (value)))))]);
  }

  /** @param {any} row */
  function actions(row) {
    const stop = (/** @type {string} */ when) => act(row.id, "stop", { when });
    if (row.state === "running") return [button("stop", "stopAbout", () => stop("after-epoch")), button("stopNow", "stopNowAbout", () => stop("now"))];
    return row.state === "idle" && button("goOn", "goOnAbout", () => act(row.id, "run", {}), "main");
  }

  /** @param {string} id @param {string} what @param {any} body */
  async function act(id, what, body) {
    const isHeld = buttons.contains(document.activeElement);
    for (const one of buttons.querySelectorAll("button")) one.disabled = true;
    try {
      await post(studyPath(id, what), body, { signal });
      announce(t("run.asked"));
      replaceByWords(buttons, t(what === "run" ? "live.starting" : "run.stopping"), isHeld);
      if (what === "run") await goneOn(id);
    } catch (error) {
      if (isAbort(error)) return;
      complain(error);
      for (const one of buttons.querySelectorAll("button")) one.disabled = false;
    }
  }

  /** @param {string} id */
  async function goneOn(id) {
    const before = state;
    const now = await whenStarted(() => get(studyPath(id), { signal }), () => state !== before);
    if (!now) return;
    if (now.row.state === before) {
      state = "";
      complain(t("study.notGoneOn", { id }));
    }
    update(now);
  }

  /** @param {any} row @param {any} progress */
  function updateProgress(row, progress) {
    bar.hidden = progress.share === null;
    bar.value = progress.share ?? 0;
    const facts = [
      progress.trials ? t("study.ofTrials", { n: count(progress.done), planned: count(progress.trials) }) : t("study.trialsDone", { n: count(progress.done) }),
      progress.minutes && t("study.ofMinutes", { used: duration(progress.seconds), planned: duration(progress.minutes * 60) }),
      progress.target !== null && t("study.target", { value: valueText(progress.target, row.objectives[0]) }),
      row.state === "running" && progress.seconds_left !== null && t("live.left", { time: duration(progress.seconds_left) }),
    ];
    replace(line, facts.map((fact) => fact && el("span", {}, fact)), row.n_trials > 0 && stateBar(row));
  }
  if (first.row.state === "unreadable") update(first);
  return { node, update, links };
}

/** Shows the page anew when the store can be read after all. @param {string} id @param {ReturnType<typeof headView>} head @param {AbortSignal} signal */
export function waitForStore(id, head, signal) {
  events(studyPath(id, "events"), { study: (news) => (news.row.state === "unreadable" ? head.update(news) : again()), gone: () => fail(new Error(t("study.gone"))) }, signal);
}

/** @param {string} label @param {string} about @param {() => void} onclick @param {string} [kind] */
function button(label, about, onclick, kind = "") {
  return el("button", { class: kind, title: t(`study.${about}`), data: { test: `study-${label}` }, onclick }, t(`study.${label}`));
}

/** @param {string} name */
function has(name) {
  return ["front", "trials", "complete", "pruned", "failed", "running", "waiting", "seconds"].includes(name);
}

/** @param {any} row @param {any} progress @param {any} best @returns {[string, string][]} */
function figuresOf(row, progress, best) {
  const states = row.n_by_state;
  const some = (/** @type {string} */ name) => (states[name] > 0 ? [/** @type {[string, string]} */ ([name, count(states[name])])] : []);
  const single = row.objectives.length === 1;
  return [
    .../** @type {[string, string][]} */ (single ? [[objectiveName(row.objectives[0]), best ? valueText(best.values[0], row.objectives[0]) : "–"]] : [["front", count(row.n_front)]]),
    ["trials", count(row.n_trials)], ["complete", count(states.complete)], ...some("pruned"), ...some("failed"), ...some("running"), ...some("waiting"), ["seconds", duration(progress.seconds)],
  ];
}
