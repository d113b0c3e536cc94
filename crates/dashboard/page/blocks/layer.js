/** Nodes of a network as the run file has them: `layer` is a name, or one key with its parameters. */

/** @typedef {{name?: string, inputs?: string[], layer: any}} Node */

/** @param {any} layer @returns {string} */
export function kindOf(layer) {
  return typeof layer === "string" ? layer : Object.keys(layer ?? {})[0] ?? "";
}

/** @param {any} layer @returns {Record<string, any>} */
export function valuesOf(layer) {
  return typeof layer === "string" ? {} : layer?.[kindOf(layer)] ?? {};
}

/** The layer with one value changed; undefined takes it out. @param {any} layer @param {string} name @param {any} value */
export function withValue(layer, name, value) {
  const kind = kindOf(layer);
  const values = { ...valuesOf(layer), [name]: value };
  if (value === undefined) delete values[name];
  return Object.keys(values).length ? { [kind]: values } : kind;
}

/** @param {Node} node @param {number} at */
export function nameOf(node, at) {
  return node.name ?? String(at);
}

const SHORT = /** @type {Record<string, string>} */ ({
  conv2d: "conv", partial_conv2d: "conv", linear: "fc", batch_norm2d: "norm", layer_norm: "norm", group_norm: "norm",
  max_pool2d: "pool", avg_pool2d: "pool", global_avg_pool: "mean", squeeze_excite: "se", spatial_dropout: "dropout",
});

/** A kind in one short word. @param {string} kind */
export function shortKind(kind) {
  return SHORT[kind] ?? kind;
}

/** A name that is free: conv1, conv2, … @param {Node[]} nodes @param {string} kind */
export function freeName(nodes, kind) {
  const stem = shortKind(kind);
  const taken = new Set(nodes.map(nameOf));
  let n = 1;
  while (taken.has(`${stem}${n}`)) n += 1;
  return `${stem}${n}`;
}

/** Whether a node may have a name: no other has it, and it is not that of the picture. @param {Node[]} nodes @param {number} at @param {string} name */
export function isNameFree(nodes, at, name) {
  return name !== "input" && !nodes.some((node, other) => other !== at && nameOf(node, other) === name);
}

/** @param {Node[]} nodes @param {string} from @param {string} to */
export function renameInputs(nodes, from, to) {
  for (const node of nodes) {
    if (node.inputs) node.inputs = node.inputs.map((input) => (input === from ? to : input));
  }
}

/**
 * Before nodes change places: those from one to another that have no names are called by their places, so they get these as
 * names. All of them, since one left out would come to be called as another one is.
 * @param {Node[]} nodes @param {number} from @param {number} [to] the last
 */
export function keepNames(nodes, from, to = nodes.length - 1) {
  for (let at = from; at <= to; at += 1) nodes[at].name ??= String(at);
}

/** The same from a place on, where inputs name any of them. @param {Node[]} nodes @param {number} from */
export function keepRead(nodes, from) {
  const read = new Set(nodes.flatMap((node) => node.inputs ?? []));
  if (nodes.some((node, at) => at >= from && node.name === undefined && read.has(String(at)))) keepNames(nodes, from);
}

/** What the node at a place reads where it names nothing. @param {Node[]} nodes @param {number} at */
export function before(nodes, at) {
  return at === 0 ? "input" : nameOf(nodes[at - 1], at - 1);
}

/** Takes a node out; who read it reads what it read. @param {Node[]} nodes @param {number} at */
export function removeNode(nodes, at) {
  const source = nodes[at].inputs?.[0] ?? before(nodes, at);
  const name = nameOf(nodes[at], at);
  keepRead(nodes, at + 1);
  nodes.splice(at, 1);
  renameInputs(nodes, name, source);
}

/** `5` for [5, 5], else `5 × 3`. @param {any} value */
export function writePair(value) {
  if (!Array.isArray(value)) return value === undefined || value === null ? "" : String(value);
  return value[0] === value[1] ? String(value[0]) : value.join(" × ");
}

/** @param {string} text @returns {number[] | null} */
export function readPair(text) {
  const numbers = text.trim().split(/\s*[×x,*]\s*|\s+/).map((part) => (/^\d+$/.test(part) ? Number(part) : NaN));
  if (numbers.some(Number.isNaN) || numbers.length > 2) return null;
  return numbers.length === 1 ? [numbers[0], numbers[0]] : numbers;
}

/** A message without the `node … (kind):` that its card says already. @param {string} message */
export function reason(message) {
  return message.replace(/^node `[^`]*` \([^)]*\): /, "");
}
