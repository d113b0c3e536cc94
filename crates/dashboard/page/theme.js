/** Light or dark: the system's choice until the reader makes one. */

const KEY = "danlu-theme";
const system = matchMedia("(prefers-color-scheme: dark)");

apply(localStorage.getItem(KEY));
system.addEventListener("change", tell);

/** Whether it is dark. */
export function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : system.matches;
}

/** From light to dark or back. */
export function toggleTheme() {
  const to = isDark() ? "light" : "dark";
  localStorage.setItem(KEY, to);
  apply(to);
  tell();
}

/** @param {string | null} theme */
function apply(theme) {
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
}

function tell() {
  document.dispatchEvent(new Event("theme"));
}
