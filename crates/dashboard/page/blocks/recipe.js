/** Data and recipe as a form; each field edits its place in the run file. */

import { el } from "../dom.js";
import { t } from "../i18n.js";
import { isBusy } from "./fields.js";
import { kindOf, valuesOf, withValue } from "./layer.js";

/** Shape and number of classes of the data sets that go by a name. */
const FITS = /** @type {Record<string, [number[], number]>} */ ({
  "fashion-mnist": [[1, 28, 28], 10], mnist: [[1, 28, 28], 10], kmnist: [[1, 28, 28], 10],
  "emnist-balanced": [[1, 28, 28], 47], "emnist-bymerge": [[1, 28, 28], 47], "emnist-byclass": [[1, 28, 28], 62],
  "emnist-letters": [[1, 28, 28], 26], "emnist-digits": [[1, 28, 28], 10], "emnist-mnist": [[1, 28, 28], 10],
  "cifar-10": [[3, 32, 32], 10],
});
const OPTIMIZERS = ["adam", "adamw", "sgd", "rmsprop"];
/** The loss whose labels can be smoothed, which is also that of a run file without one. */
const SMOOTHED = "cross_entropy";
const SCHEDULES = ["constant", "step", "cosine", "one_cycle"];

/** Number fields of each optimizer and schedule: name, default, step. @type {Record<string, [string, number, number][]>} */
const OF_OPTIMIZER = {
  adam: [["weight_decay", 0, 0.0001]],
  adamw: [["weight_decay", 0.01, 0.001]],
  sgd: [["momentum", 0, 0.1], ["weight_decay", 0, 0.0001]],
  rmsprop: [["momentum", 0, 0.1], ["weight_decay", 0, 0.0001]],
};
/** @type {Record<string, [string, number, number][]>} */
const OF_SCHEDULE = {
  constant: [["warm_up_epochs", 0, 0.5]],
  step: [["every", 10, 1], ["factor", 0.1, 0.05], ["warm_up_epochs", 0, 0.5]],
  cosine: [["warm_up_epochs", 0, 0.5]],
  one_cycle: [["warm_up_share", 0.3, 0.05]],
};

/** @param {import("./store.js").Store} store @param {{name: string, about: string, ready: boolean}[]} data */
export function recipe(store, data) {
  /** @type {((run: any) => void)[]} */
  const shows = [];

  /** @param {string} name @param {any} step @param {(run: any) => any} read @param {(run: any, value: number | string | undefined) => void} write @param {boolean} [isWhole] */
  const number = (name, step, read, write, isWhole = false) => {
    const input = el("input", { type: "number", step, min: 0, placeholder: name === "validation" ? t("recipe.none") : null, data: { test: `recipe-${name}` } });
    input.addEventListener("input", () => {
      const value = input.value === "" ? undefined : exact(input.value, isWhole);
      const isBad = input.validity.badInput || (isWhole && value !== undefined && !Number.isInteger(Number(value)));
      input.setAttribute("aria-invalid", String(isBad));
      if (!isBad) store.edit(`recipe ${name}`, (run) => write(run, value));
    });
    input.addEventListener("blur", () => {
      if (store.run) input.value = read(store.run) ?? "";
      input.setAttribute("aria-invalid", "false");
    });
    shows.push((run) => {
      if (!isBusy(input)) input.value = read(run) ?? "";
    });
    return el("label", { class: "field" }, el("span", {}, t(`recipe.${name}`)), input);
  };
  const top = (/** @type {string} */ name, /** @type {number} */ fallback) => number(name, 1, (run) => run[name] ?? fallback, put(name), true);

  const grid = (/** @type {any[]} */ ...fields) => el("div", { class: "fields" }, fields);
  const optimizer = kindFields(store, shows, number, "optimizer", OPTIMIZERS, OF_OPTIMIZER);
  const schedule = kindFields(store, shows, number, "schedule", SCHEDULES, OF_SCHEDULE);
  const element = el("section", { class: "card recipe", data: { test: "recipe" } },
    el("h2", {}, t("recipe.title")),
    dataField(store, shows, data, number("validation", 0.05, (run) => run.validation, put("validation"))),
    grid(top("epochs", 10), top("batch_size", 256), top("seed", 1)),
    el("h3", {}, t("recipe.learning")),
    grid(optimizer.select, learningRate(number), optimizer.fields),
    grid(schedule.select, schedule.fields, labelSmoothing(shows, number)),
    el("h3", {}, t("recipe.augment")),
    grid(augment(number, "shift", 1, true), augment(number, "horizontal_flip", 0.1), augment(number, "rotation", 1)));

  return {
    element,
    show: () => {
      if (store.run) for (const show of shows) show(store.run);
    },
  };
}

/** The number; a whole one that would lose digits as text, which the server reads for the seed. @param {string} text @param {boolean} isWhole */
function exact(text, isWhole) {
  const value = Number(text);
  return isWhole && value > Number.MAX_SAFE_INTEGER && /^\d+$/.test(text) ? text : value;
}

/** @param {string} name @returns {(run: any, value: any) => void} */
function put(name) {
  return (run, value) => {
    if (value === undefined) delete run[name];
    else run[name] = value;
  };
}

/** @param {any} number */
function learningRate(number) {
  const read = (/** @type {any} */ run) => valuesOf(run.optimizer ?? "adam").learning_rate ?? (kindOf(run.optimizer ?? "") === "rmsprop" ? 0.01 : 0.001);
  return number("learning_rate", "any", read, (/** @type {any} */ run, /** @type {any} */ value) => {
    run.optimizer = withValue(run.optimizer ?? "adam", "learning_rate", value);
  });
}

/** Only cross-entropy smooths labels. @param {((run: any) => void)[]} shows @param {any} number */
function labelSmoothing(shows, number) {
  const lossOf = (/** @type {any} */ run) => run.loss ?? SMOOTHED;
  const read = (/** @type {any} */ run) => (kindOf(lossOf(run)) === SMOOTHED ? valuesOf(lossOf(run)).label_smoothing : undefined);
  const field = number("label_smoothing", 0.05, read, (/** @type {any} */ run, /** @type {any} */ value) => {
    run.loss = withValue(lossOf(run), "label_smoothing", value ?? 0);
  });
  shows.push((run) => {
    field.querySelector("input").disabled = kindOf(lossOf(run)) !== SMOOTHED;
  });
  return field;
}

/** @param {any} number @param {string} name @param {number} step @param {boolean} [isWhole] */
function augment(number, name, step, isWhole = false) {
  return number(name, step, (/** @type {any} */ run) => run.augment?.[name] ?? 0, (/** @type {any} */ run, /** @type {any} */ value) => {
    run.augment = { ...run.augment, [name]: value ?? 0 };
  }, isWhole);
}

/**
 * A choice of kinds and the numbers of the chosen one.
 * @param {import("./store.js").Store} store
 * @param {((run: any) => void)[]} shows
 * @param {any} number
 * @param {string} what
 * @param {string[]} kinds
 * @param {Record<string, [string, number, number][]>} table
 */
function kindFields(store, shows, number, what, kinds, table) {
  const current = (/** @type {any} */ run) => kindOf(run[what] ?? kinds[0]);
  const select = el("select", { data: { test: `recipe-${what}` } }, kinds.map((kind) => el("option", { value: kind }, t(`${what}.${kind}`))));
  select.addEventListener("change", () => store.edit("", (run) => {
    const rate = valuesOf(run[what] ?? kinds[0]).learning_rate;
    run[what] = what === "optimizer" && rate !== undefined ? { [select.value]: { learning_rate: rate } } : select.value;
  }));
  shows.push((run) => {
    select.value = current(run);
  });
  const fields = [...new Map(kinds.flatMap((kind) => table[kind]).map((entry) => [entry[0], entry])).values()].map(([name, , step]) => {
    const fallback = (/** @type {any} */ run) => table[current(run)]?.find((entry) => entry[0] === name)?.[1];
    const field = number(name, step, (/** @type {any} */ run) => valuesOf(run[what] ?? "")[name] ?? fallback(run), (/** @type {any} */ run, /** @type {any} */ value) => {
      run[what] = withValue(run[what] ?? kinds[0], name, value);
    });
    shows.push((run) => {
      field.hidden = fallback(run) === undefined;
    });
    return field;
  });
  return { select: el("label", { class: "field" }, el("span", {}, t(`recipe.${what}`)), select), fields };
}

/** @param {import("./store.js").Store} store @param {((run: any) => void)[]} shows @param {{name: string, about: string, ready: boolean}[]} data @param {HTMLElement} beside */
function dataField(store, shows, data, beside) {
  const select = el("select", { data: { test: "recipe-data" } }, data.map(({ name, about, ready }) =>
    el("option", { value: name }, ready ? about : t("recipe.notReady", { name: about }))));
  select.addEventListener("change", () => store.edit("", (run) => fit(run, select.value)));
  const hint = el("p", { class: "muted small" });
  shows.push((run) => {
    const name = String(run.data ?? "fashion-mnist");
    if (![...select.options].some((option) => option.value === name)) select.append(el("option", { value: name }, name));
    select.value = name;
    const chosen = data.find((entry) => entry.name === name);
    hint.hidden = !chosen || chosen.ready;
    hint.textContent = hint.hidden ? "" : t("recipe.fetch", { name });
  });
  return el("div", { class: "stack" }, el("div", { class: "data-row" }, el("label", { class: "field" }, el("span", {}, t("recipe.data")), select), beside), hint);
}

/** Takes the data and makes both ends of the network fit them. @param {any} run @param {string} name */
function fit(run, name) {
  run.data = name;
  const fits = FITS[name];
  const network = run.network;
  if (!fits || typeof network !== "object") return;
  const [input, classes] = fits;
  const last = network.node?.at(-1);
  if (last && kindOf(last.layer) === "linear" && valuesOf(last.layer).out_features === network.classes) {
    last.layer = withValue(last.layer, "out_features", classes);
  }
  network.input = input;
  network.classes = classes;
}
