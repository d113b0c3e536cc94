/** Pure edits of a run file as JSON: each returns a fresh one. */

/**
 * @typedef {Record<string, any>} Run
 * @typedef {{name?: string, inputs?: string[], layer: any}} BlockNode
 */

/** @param {any} layer */
export function kindOf(layer) {
  return typeof layer === "string" ? layer : Object.keys(layer)[0];
}

/** @param {any} layer @returns {Record<string, any>} */
export function parametersOf(layer) {
  return typeof layer === "string" ? {} : Object.values(layer)[0];
}

/** Sets a parameter, or takes it away. @param {any} layer @param {string} name @param {any} value undefined: the default */
export function withParameter(layer, name, value) {
  const parameters = { ...parametersOf(layer), [name]: value };
  if (value === undefined) delete parameters[name];
  const kind = kindOf(layer);
  return Object.keys(parameters).length === 0 ? kind : { [kind]: parameters };
}

/** @param {Run} run @returns {BlockNode[]} */
export function nodesOf(run) {
  return run.network?.node ?? [];
}

/** @param {Run} run @param {BlockNode[]} node */
export function withNodes(run, node) {
  return { ...run, network: { ...run.network, node } };
}

/** @param {Run} run @param {number} at @param {any} layer */
export function insert(run, at, layer) {
  const nodes = [...nodesOf(run)];
  nodes.splice(at, 0, { layer: structuredClone(layer) });
  return withNodes(run, nodes);
}

/** @param {Run} run @param {number} at */
export function remove(run, at) {
  const name = nodesOf(run)[at]?.name;
  return withNodes(run, nodesOf(run).filter((_, idx) => idx !== at).map((node) => withoutInput(node, name)));
}

/** @param {Run} run @param {number} from @param {number} to position among the others */
export function move(run, from, to) {
  const nodes = [...nodesOf(run)];
  const [node] = nodes.splice(from, 1);
  nodes.splice(to, 0, node);
  return withNodes(run, nodes);
}

/** @param {Run} run @param {number} at @param {any} layer */
export function setLayer(run, at, layer) {
  return change(run, at, (node) => ({ ...node, layer }));
}

/** A name, and the same in all that read it. @param {Run} run @param {number} at @param {string} name empty: none */
export function rename(run, at, name) {
  const before = nodesOf(run)[at]?.name;
  const renamed = nodesOf(run).map((node, idx) => {
    const inputs = before === undefined || !name ? node.inputs : node.inputs?.map((input) => (input === before ? name : input));
    return clean({ ...node, inputs, ...(idx === at ? { name: name || undefined } : {}) });
  });
  return withNodes(run, renamed);
}

/** What a node reads; none: the node before. @param {Run} run @param {number} at @param {string[]} inputs */
export function setInputs(run, at, inputs) {
  return change(run, at, (node) => clean({ ...node, inputs: inputs.length ? inputs : undefined }));
}

/** Adds an input; a node without a name gets one. @param {Run} run @param {number} at @param {string | number} source `input` or a position */
export function addInput(run, at, source) {
  let named = run;
  let name = source;
  if (typeof source === "number") {
    name = nodesOf(run)[source].name ?? freeName(run, kindOf(nodesOf(run)[source].layer));
    named = rename(run, source, /** @type {string} */ (name));
  }
  return setInputs(named, at, [...(nodesOf(named)[at].inputs ?? []), String(name)]);
}

/** A value by its path, `["optimizer", "adam", "learning_rate"]`. @param {any} run @param {string[]} path */
export function valueAt(run, path) {
  return path.reduce((value, key) => value?.[key], run);
}

/** Sets it, or takes it away with tables that become empty. @param {any} value @param {string[]} path @param {any} to @returns {any} */
export function withValue(value, [key, ...rest], to) {
  const copy = { ...value };
  const inner = rest.length ? withValue(copy[key], rest, to) : to;
  if (inner === undefined || (rest.length && Object.keys(inner).length === 0)) delete copy[key];
  else copy[key] = inner;
  return copy;
}

/** @param {Run} run @param {string} kind */
function freeName(run, kind) {
  const taken = new Set(nodesOf(run).map(({ name }) => name));
  let n = 1;
  while (taken.has(`${kind}_${n}`)) n++;
  return `${kind}_${n}`;
}

/** @param {Run} run @param {number} at @param {(node: BlockNode) => BlockNode} edit */
function change(run, at, edit) {
  return withNodes(run, nodesOf(run).map((node, idx) => (idx === at ? edit(node) : node)));
}

/** @param {BlockNode} node @param {string | undefined} name */
function withoutInput(node, name) {
  if (name === undefined || !node.inputs?.includes(name)) return node;
  const inputs = node.inputs.filter((input) => input !== name);
  return clean({ ...node, inputs: inputs.length ? inputs : undefined });
}

/** Without keys that hold nothing. @param {any} node @returns {BlockNode} */
function clean(node) {
  return /** @type {BlockNode} */ (Object.fromEntries(Object.entries(node).filter(([, value]) => value !== undefined && value !== null)));
}
