/** A picture of one's own: chosen, dropped or pasted. */

import { complain, el } from "../dom.js";
import { t } from "../i18n.js";

const LARGEST = 10_000_000;

/** @param {HTMLElement} root where it may be dropped @param {AbortSignal} signal @param {(blob: Blob) => void} take */
export function ownPicture(root, signal, take) {
  /** @param {Blob | null | undefined} blob */
  const offer = (blob) => {
    if (!blob) return;
    if (!blob.type.startsWith("image/")) complain(t("try.noPicture"));
    else if (blob.size > LARGEST) complain(t("try.tooLarge"));
    else take(blob);
  };
  const input = el("input", { type: "file", accept: "image/*", class: "visually-hidden", tabindex: "-1", "aria-hidden": "true", data: { test: "upload" } });
  input.addEventListener("change", () => {
    offer(input.files[0]);
    input.value = "";
  });
  const hasFile = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes("Files");
  root.addEventListener("dragover", (event) => hasFile(event) && event.preventDefault(), { signal });
  root.addEventListener("drop", (event) => {
    if (!hasFile(event)) return;
    event.preventDefault();
    offer(event.dataTransfer?.files[0]);
  }, { signal });
  addEventListener("paste", (event) => {
    const item = [...(event.clipboardData?.items ?? [])].find((one) => one.type.startsWith("image/"));
    if (!item) return;
    event.preventDefault();
    offer(item.getAsFile());
  }, { signal });
  const button = el("button", { type: "button", data: { test: "upload-button" }, onclick: () => input.click() }, t("try.upload"));
  return { element: el("span", {}, button, input) };
}
