/**
 * A network as a small picture: boxes in their order, what leads past others as arcs above them. A box is as high as it has
 * channels; what only changes values (a rectifier, a normalization) is a thin bar.
 */

import { svg } from "../dom.js";
import { count, shape } from "../format.js";
import { t } from "../i18n.js";
import { kindOf, shortKind, valuesOf } from "../blocks/layer.js";
import { kindLabel } from "../blocks/words.js";

/**
 * @typedef {{name: string, group: string, layer: any, dims: number[] | null, inputs: (number | null)[]}} Node
 * @typedef {{number: number, nodes: Node[], parameters: number, multiply_adds: number, run: string | null, toml: string | null}} Drawing
 * @typedef {{x: number, width: number, height: number}} Box
 */

const GAP = 7;
const WIDE = 42;
const THIN = 7;
const HIGH = 42;
const LOW = 26;
/** From one line of text to the next. */
const LINE = 10.5;
const MERGE = 15;
/** Of the image at the left. */
const IMAGE = 16;
/** Groups that are thin bars. */
const SMALL = new Set(["normalization", "activation", "regularization", "shape"]);
/** Room above the boxes for one arc more. */
const RISE = 9;
const HIGHEST = 54;

/** @param {Drawing} drawing @returns {SVGElement} */
export function picture(drawing) {
  const boxes = places(drawing.nodes);
  const arcs = skips(drawing.nodes);
  const top = Math.min(HIGHEST, Math.max(0, ...arcs.map(([from, to]) => rise(from, to)))) + 6;
  const middle = top + HIGH / 2;
  const last = boxes[boxes.length - 1];
  const width = (last ? last.x + last.width : IMAGE) + 4;
  const height = top + HIGH + 4;
  return svg("svg", { class: "network", viewBox: `0 0 ${width} ${height}`, width, height, css: { "--wide": width }, role: "img", "aria-label": inWords(drawing), data: { nodes: drawing.nodes.length, skips: arcs.length } },
    arcs.map(([from, to]) => arc(edge(boxes, from), edge(boxes, to), from, to, middle)),
    svg("line", { class: "network-line", x1: IMAGE, x2: width - 4, y1: middle, y2: middle }),
    svg("rect", { class: "network-image", x: 1, y: middle - IMAGE / 2, width: IMAGE - 2, height: IMAGE, rx: 2 }, svg("title", {}, t("search.image"))),
    drawing.nodes.map((node, idx) => box(node, boxes[idx], middle)));
}

/** @param {Node[]} nodes @returns {Box[]} */
function places(nodes) {
  let x = IMAGE + GAP;
  const most = Math.max(1, ...nodes.map(channels));
  return nodes.map((node, idx) => {
    const small = SMALL.has(node.group);
    const width = small ? THIN : node.group === "merge" ? MERGE : WIDE;
    // A bar touches the box whose values it changes.
    const before = nodes[idx - 1];
    if (idx > 0 && small && before && before.group !== "merge") x -= GAP - 1.5;
    const wanted = LOW + (HIGH - LOW) * Math.sqrt(channels(node) / most);
    const needed = width === WIDE ? 8 + labels(node).length * LINE : 0;
    const place = { x, width, height: node.group === "merge" ? MERGE : Math.max(wanted, needed) };
    x += width + GAP;
    return place;
  });
}

/** @param {Node} node */
function channels(node) {
  return node.dims && node.dims.length === 3 ? node.dims[0] : 1;
}

/** What leads past the node before: from where (-1 is the image) and to which. @param {Node[]} nodes @returns {[number, number][]} */
function skips(nodes) {
  return nodes.flatMap((node, to) => node.inputs.map((from) => /** @type {[number, number]} */ ([from ?? -1, to])).filter(([from]) => from !== to - 1));
}

/** @param {number} from @param {number} to */
function rise(from, to) {
  return RISE + (to - from) * 2.2;
}

/** @param {Box[]} boxes @param {number} at */
function edge(boxes, at) {
  return at < 0 ? { x: 1, width: IMAGE - 2, height: IMAGE } : boxes[at];
}

/** @param {Box} from @param {Box} to @param {number} a @param {number} b @param {number} middle */
function arc(from, to, a, b, middle) {
  const [x1, x2] = [from.x + from.width / 2, to.x + to.width / 2];
  const [y1, y2] = [middle - from.height / 2, middle - to.height / 2];
  const up = middle - HIGH / 2 - Math.min(HIGHEST, rise(a, b));
  return svg("path", { class: "network-skip", d: `M${x1},${y1} C${x1},${up} ${x2},${up} ${x2},${y2}` });
}

/** @param {Node} node @param {Box} at @param {number} middle */
function box(node, at, middle) {
  const lines = at.width === WIDE ? labels(node) : node.group === "merge" ? ["+"] : [];
  const text = lines.map((line, idx) => svg("text", { x: at.x + at.width / 2, y: middle + 3.5 + (idx - (lines.length - 1) / 2) * LINE, "text-anchor": "middle" }, line));
  return svg("g", { class: `network-node group-${node.group}` }, svg("title", {}, nodeWords(node)),
    svg("rect", { x: at.x, y: middle - at.height / 2, width: at.width, height: at.height, rx: at.width === WIDE ? 4 : 2 }), text);
}

/** What stands in a wide box: the window, how many filters or units, how far it moves on. @param {Node} node */
function labels(node) {
  const values = valuesOf(node.layer);
  const width = values.out_channels ?? values.out_features;
  const facts = [values.kernel !== undefined && pair(values.kernel), width !== undefined && String(width), stride(values)].filter(Boolean);
  return facts.length > 0 ? facts : [shortKind(kindOf(node.layer)).slice(0, 8)];
}

/** @param {any} value */
function pair(value) {
  return Array.isArray(value) ? value.join("×") : `${value}×${value}`;
}

/** `/2` where it moves on by more than one. @param {Record<string, any>} values */
function stride(values) {
  const by = [values.stride ?? 1].flat();
  if (by.every((one) => one === 1)) return "";
  return `↷${by.every((one) => one === by[0]) ? by[0] : by.join("×")}`;
}

/** @param {Node} node */
function nodeWords(node) {
  const facts = labels(node).filter((fact) => fact !== shortKind(kindOf(node.layer)).slice(0, 8));
  const output = node.dims ? ` → ${shape(node.dims)}` : "";
  return `${node.name}: ${kindLabel(kindOf(node.layer))} ${facts.join(", ")}${output}`;
}

/** For who cannot see it. @param {Drawing} drawing */
function inWords(drawing) {
  const large = drawing.nodes.filter((node) => !SMALL.has(node.group) && node.group !== "merge");
  const chain = large.map((node) => `${kindLabel(kindOf(node.layer))} ${labels(node).join(" ")}`).join(", ");
  return t("search.pictureAbout", { n: drawing.number, chain, skips: skips(drawing.nodes).length, parameters: count(drawing.parameters) });
}
