/** The top of a run's page: how it stands, what can be done with it, how far it is. */

import { get, isAbort, post, runPath, whenStarted } from "./api.js";
import { announce, complain, el, replace, replaceButtons, replaceByWords } from "./dom.js";
import { count, decimal, duration, percent, short, significant } from "./format.js";
import { t } from "./i18n.js";
import { stateChip } from "./state.js";
import { trialHash } from "./studies/path.js";

/** Epochs whose mean time stands for the ones to come. */
const RECENT = 5;
/** Lines of the log that tell why a start failed. */
const LOG_LINES = 6;
/** A screen reader hears of an epoch at most so often. */
const SAY_EVERY_MS = 10000;

/** State, facts and buttons. @param {any} detail @param {AbortSignal} signal */
export function headView(detail, signal) {
  const { id, network, data } = detail.row;
  const chip = el("span");
  const buttons = el("div", { class: "actions" });
  const reason = el("p", { class: "bad-text" });
  const about = t("run.about", { network, data, parameters: count(detail.row.parameters), multiplyAdds: short(detail.row.multiply_adds) });
  const log = el("pre", { class: "failed-start", hidden: true, data: { test: "failed-start" } });
  // Before the first record nobody knows what learns.
  const node = el("div", { class: "run-head" }, chip, network !== null && el("p", { class: "muted" }, about), buttons, reason, log);
  let state = "";

  /** @param {any} row */
  function update(row) {
    if (row.state !== state) {
      if (state) announce(t("run.isNow", { id, state: t(`state.${row.state}`) }));
      state = row.state;
      log.hidden = true;
      replaceButtons(buttons, actions(row));
    }
    replace(chip, stateChip(row));
    reason.textContent = row.reason ?? "";
    reason.hidden = !row.reason;
  }

  /** @param {any} row */
  function actions(row) {
    if (detail.trial) return [el("a", { class: "button", href: trialHash(detail.trial.study, detail.trial.number) }, t("study.trialTitle", { n: detail.trial.number }))];
    const stop = (/** @type {string} */ when) => act(runPath(id, "stop"), { when });
    if (row.state === "running") {
      return [button("run.pause", "run.pauseAbout", () => stop("after-epoch")), button("run.stop", "run.stopAbout", () => stop("now"))];
    }
    const goOn = ["interrupted", "stale"].includes(row.state);
    return [goOn && button("run.goOn", "run.goOnAbout", () => act(runPath(id, "resume"), {}), "main"),
      row.n_epochs > 0 && el("a", { class: "button", href: `#/try/${encodeURIComponent(id)}` }, t("nav.try"))];
  }

  /** @param {string} path @param {any} body */
  async function act(path, body) {
    const isHeld = buttons.contains(document.activeElement);
    for (const button of buttons.querySelectorAll("button")) button.disabled = true;
    try {
      await post(path, body, { signal });
      announce(t("run.asked"));
      if ("when" in body) replaceByWords(buttons, t(body.when === "now" ? "run.stopping" : "run.pausing"), isHeld);
      else await goneOn();
    } catch (error) {
      if (isAbort(error)) return;
      complain(error);
      for (const button of buttons.querySelectorAll("button")) button.disabled = false;
    }
  }

  async function goneOn() {
    const before = state;
    const now = await whenStarted(() => get(runPath(id), { signal }), () => state !== before);
    if (!now) return;
    const failed = now.row.state === before;
    if (failed) state = "";
    update(now.row);
    if (!failed) return;
    log.textContent = (now.log ?? "").split("\n").slice(-LOG_LINES).join("\n");
    log.hidden = !log.textContent;
    complain(t("run.notGoneOn", { id }));
  }
  return { node, update };
}

/** @param {string} label @param {string} about @param {() => void} onclick @param {string} [kind] */
function button(label, about, onclick, kind = "") {
  return el("button", { class: kind, title: t(about), onclick }, t(label));
}

/** Progress, speed and time left while it runs. @param {import("./curves.js").Curves} curves */
export function liveView(curves) {
  const bar = el("progress", { max: 1, value: 0, "aria-label": t("live.progress") });
  const line = el("p", { class: "live-line" });
  const node = el("div", { class: "live", hidden: true }, bar, line);
  let planned = 1;
  let said = performance.now();

  /** @param {any} row */
  function update(row) {
    planned = Math.max(1, row.epochs_planned);
    node.hidden = row.state !== "running";
    bar.value = row.n_epochs / planned;
    if (!line.hasChildNodes()) replace(line, t("live.starting"));
  }

  /** @param {any} p */
  function progress(p) {
    const share = p.n_steps > 0 ? p.step / p.n_steps : 0;
    bar.value = Math.max(bar.value, (p.epoch - 1 + share) / planned);
    const left = secondsLeft(p, share);
    const facts = [t("live.epoch", { epoch: count(p.epoch), planned: count(planned) }), t("live.step", { step: count(p.step), n: count(p.n_steps) }),
      t("live.loss", { loss: decimal(p.loss) }), t("live.rate", { rate: significant(p.learning_rate) }), t("live.speed", { n: count(p.images_per_s) }),
      left === null ? null : t("live.left", { time: duration(left) })];
    replace(line, facts.map((fact) => fact && el("span", {}, fact)));
  }

  /** @param {any} p @param {number} share of the epoch that is done */
  function secondsLeft(p, share) {
    const times = curves.columns.train_s.slice(-RECENT).map((train, idx) => (train ?? 0) + (curves.columns.eval_s.slice(-RECENT)[idx] ?? 0));
    if (times.length === 0) return null;
    const mean = times.reduce((sum, time) => sum + time, 0) / times.length;
    return mean * Math.max(0, planned - (p.epoch - 1) - share);
  }

  /** @param {any} record */
  function epoch(record) {
    if (performance.now() - said < SAY_EVERY_MS) return;
    said = performance.now();
    const test = record.test_accuracy ?? record.validation_accuracy;
    announce(t(record.test_accuracy === null ? "live.saidValidation" : "live.said", { epoch: count(record.epoch), test: percent(test), loss: decimal(record.loss) }));
  }
  return { node, update, progress, epoch };
}

/** The last epoch's numbers, large. */
export function figuresView() {
  const node = el("dl", { class: "figures" });
  /** @param {any} row @param {import("./curves.js").Curves} curves */
  function update(row, curves) {
    const figures = [
      // The trials of a study never look at the test images.
      row.test_accuracy === null && row.validation_accuracy !== null ? null : ["test_accuracy", percent(row.test_accuracy)],
      row.validation_accuracy === null ? null : ["validation_accuracy", percent(row.validation_accuracy)],
      ["train_accuracy", percent(row.train_accuracy)], ["loss", decimal(row.loss)],
      ["epochs", `${count(row.n_epochs)} / ${count(row.epochs_planned)}`],
      row.best_epoch === null || row.best_epoch === row.n_epochs ? null : ["best_epoch", count(row.best_epoch)],
      ["learning_rate", significant(curves.last("learning_rate"))], ["speed", row.images_per_s ? t("runs.perSecond", { n: short(row.images_per_s) }) : "–"],
      ["seconds", duration(row.seconds)],
    ];
    replace(node, figures.map((figure) => figure && el("div", { data: { figure: figure[0] } }, el("dt", {}, t(`runs.${figure[0]}`)), el("dd", {}, figure[1]))));
  }
  return { node, update };
}
