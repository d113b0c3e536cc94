/** A black square to draw on in white, as the digits and clothes are. */

import { el } from "../dom.js";
import { t } from "../i18n.js";

const SIDE = 280;
/** Width of the brush: about two of 28 pixels, soft at its edge. */
const BRUSH = 21;
/** Steps of the keyboard's brush. */
const STEP = 10;

/** @param {() => void} changed */
export function drawing(changed) {
  const canvas = el("canvas", {
    class: "drawing", width: SIDE, height: SIDE, tabindex: "0", role: "img", "aria-label": t("try.canvas"), data: { test: "draw" },
  });
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d", { willReadFrequently: true }));
  let isEmpty = true;
  /** @type {{x: number, y: number} | null} */
  let last = null;
  let cursor = { x: SIDE / 2, y: SIDE / 2 };

  function clear() {
    context.shadowBlur = 0;
    context.fillStyle = "#000";
    context.fillRect(0, 0, SIDE, SIDE);
    isEmpty = true;
  }

  /** @param {{x: number, y: number}} from @param {{x: number, y: number}} to */
  function line(from, to) {
    context.lineCap = "round";
    context.lineJoin = "round";
    context.strokeStyle = "#fff";
    context.shadowColor = "#fff";
    context.shadowBlur = 6;
    context.lineWidth = BRUSH;
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y + 0.01);
    context.stroke();
    isEmpty = false;
    changed();
  }

  /** @param {PointerEvent} event */
  const point = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: ((event.clientX - box.left) / box.width) * SIDE, y: ((event.clientY - box.top) / box.height) * SIDE };
  };
  canvas.addEventListener("pointerdown", (/** @type {PointerEvent} */ event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    last = point(event);
    line(last, last);
  });
  canvas.addEventListener("pointermove", (/** @type {PointerEvent} */ event) => {
    if (!last) return;
    const events = event.getCoalescedEvents?.() ?? [];
    for (const one of events.length ? events : [event]) {
      const to = point(one);
      line(last, to);
      last = to;
    }
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => (last = null));
  canvas.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!by) return;
    event.preventDefault();
    const inside = (/** @type {number} */ value) => Math.max(0, Math.min(SIDE, value));
    const to = { x: inside(cursor.x + by[0] * STEP), y: inside(cursor.y + by[1] * STEP) };
    if (!event.shiftKey) line(cursor, to);
    cursor = to;
  });
  clear();

  /** Puts a picture there, to be seen and drawn upon. @param {string} src */
  function put(src) {
    const image = new Image();
    image.onload = () => {
      clear();
      context.imageSmoothingEnabled = false;
      context.drawImage(image, 0, 0, SIDE, SIDE);
    };
    image.src = src;
  }

  /** @returns {Promise<Blob | null>} */
  const blob = () => new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  return { canvas, clear, put, blob, isEmpty: () => isEmpty };
}
