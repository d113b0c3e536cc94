/** The chart library: loaded with the first chart, dressed in the page's colors. */

import { t } from "./i18n.js";
import { isDark } from "./theme.js";

/**
 * Curves in the colors of Okabe and Ito, which people who confuse red and green can tell apart, each with a dash of its own.
 * @type {Record<string, {color: string, dash: string}>}
 */
export const LINES = {
  loss: { color: "rgb(213,94,0)", dash: "solid" },
  train_accuracy: { color: "rgb(86,180,233)", dash: "dot" },
  validation_accuracy: { color: "rgb(0,158,115)", dash: "dash" },
  validation_loss: { color: "rgb(204,121,167)", dash: "dashdot" },
  test_accuracy: { color: "rgb(0,114,178)", dash: "solid" },
  learning_rate: { color: "rgb(204,121,167)", dash: "solid" },
  images_per_s: { color: "rgb(0,158,115)", dash: "solid" },
};

/** Colors of runs that are compared, from the same table. */
export const RUN_COLORS = [
  "rgb(0,114,178)", "rgb(213,94,0)", "rgb(0,158,115)", "rgb(204,121,167)",
  "rgb(230,159,0)", "rgb(86,180,233)", "rgb(128,128,128)",
];

/** @type {Promise<any> | null} */
let loading = null;

/** The library. @returns {Promise<any>} */
export function plotly() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = "/assets/plotly.min.js";
    script.onload = () => resolve(/** @type {any} */ (window).Plotly);
    script.onerror = () => reject(new Error(t("chart.missing")));
    document.head.append(script);
  });
  return loading;
}

/** Lets go of the charts in what is about to be replaced: the library follows the window's size for each. @param {Element} root */
export function purgeCharts(root) {
  for (const chart of root.querySelectorAll(".js-plotly-plot")) /** @type {any} */ (window).Plotly.purge(chart);
}

/** What the reader can do with a chart: all but the library's own tools. */
export const CONFIG = { displayModeBar: false, responsive: true, doubleClick: "reset", showTips: false };

/** A layout in the colors of the page; axes go on top. @param {Record<string, any>} own */
export function layout(own) {
  const style = getComputedStyle(document.documentElement);
  const font = { family: style.getPropertyValue("--sans"), size: 12, color: isDark() ? "#a3aaae" : "#5d646a" };
  return {
    autosize: true,
    margin: { l: 52, r: 52, t: 12, b: 40 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    showlegend: false,
    hovermode: "x unified",
    hoverlabel: { bgcolor: isDark() ? "#23282d" : "#fffefb", font: { color: isDark() ? "#e8e5de" : "#1d2124" } },
    font,
    uirevision: "kept",
    ...own,
  };
}

/** An axis of thin lines. @param {Record<string, any>} own */
export function axis(own) {
  const grid = isDark() ? "#2b3136" : "#e6e2d8";
  return { gridcolor: grid, linecolor: grid, zeroline: false, ticks: "outside", tickcolor: grid, automargin: true, ...own };
}
