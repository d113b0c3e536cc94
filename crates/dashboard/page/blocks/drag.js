/** Moving things with the pointer: the same for a mouse, a pen and a finger. */

const FAR_PX = 6;

/**
 * Makes a grip that carries something to a place in a list.
 * @param {HTMLElement} grip
 * @param {{list: () => HTMLElement, ghost: string, touch?: boolean, drop: (at: number) => void}} what `at`: before which item
 */
export function draggable(grip, what) {
  grip.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || (event.pointerType === "touch" && !what.touch)) return;
    carry(grip, event, what);
  });
}

/** @param {HTMLElement} grip @param {PointerEvent} start @param {{list: () => HTMLElement, ghost: string, drop: (at: number) => void}} what */
function carry(grip, start, what) {
  const ghost = document.createElement("div");
  ghost.className = "ghost";
  ghost.textContent = what.ghost;
  let at = -1;
  let moving = false;
  const done = new AbortController();
  const { signal } = done;

  addEventListener("pointermove", (event) => {
    if (event.pointerId !== start.pointerId) return;
    if (!moving && Math.hypot(event.clientX - start.clientX, event.clientY - start.clientY) < FAR_PX) return;
    if (!moving) document.body.append(ghost);
    moving = true;
    event.preventDefault();
    ghost.style.translate = `${event.clientX + 10}px ${event.clientY + 6}px`;
    at = place(what.list(), event);
    scrollAtEdge(event.clientY);
  }, { signal });
  addEventListener("pointerup", () => end(true), { signal });
  addEventListener("pointercancel", () => end(false), { signal });
  addEventListener("keydown", (event) => event.key === "Escape" && end(false), { signal });

  /** @param {boolean} drop */
  function end(drop) {
    done.abort();
    ghost.remove();
    mark(what.list(), -1);
    if (!moving) return;
    // The click that follows a drag is not one.
    grip.addEventListener("click", (event) => event.stopImmediatePropagation(), { capture: true, once: true });
    setTimeout(() => grip.dispatchEvent(new Event("dragdone")), 0);
    if (drop && at >= 0) what.drop(at);
  }
}

/** Before which item the pointer is, or -1 where it is not over the list. @param {HTMLElement} list @param {PointerEvent} event */
function place(list, event) {
  const around = list.getBoundingClientRect();
  const inside = event.clientX > around.left - 30 && event.clientX < around.right + 30 && event.clientY > around.top - 60 && event.clientY < around.bottom + 80;
  const items = /** @type {HTMLElement[]} */ ([...list.children]);
  const before = items.findIndex((item) => {
    const { top, height } = item.getBoundingClientRect();
    return event.clientY < top + height / 2;
  });
  const at = !inside ? -1 : before < 0 ? items.length : before;
  mark(list, at);
  return at;
}

/** @param {HTMLElement} list @param {number} at */
function mark(list, at) {
  const items = [...list.children];
  items.forEach((item, idx) => {
    item.classList.toggle("drop-before", idx === at);
    item.classList.toggle("drop-after", at === items.length && idx === at - 1);
  });
  list.classList.toggle("drop-here", at >= 0 && items.length === 0);
}

/** @param {number} y */
function scrollAtEdge(y) {
  if (y < 60) scrollBy(0, -12);
  if (y > innerHeight - 60) scrollBy(0, 12);
}
