// What is in the file: the document, and the arrays in it.

const doc = JSON.parse(document.getElementById("data").textContent);

const READERS = { f8: Float64Array, f4: Float32Array, u1: Uint8Array };

function decoded(text, format) {
  const binary = atob(text);
  const buffer = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) buffer[i] = binary.charCodeAt(i);
  return new READERS[format](buffer.buffer); // little-endian, as every machine with a browser is
}

const blobs = new Map();

function blob(number, format) {
  if (!blobs.has(number)) {
    blobs.set(number, decoded(document.getElementById(`blob-${number}`).textContent, format));
  }
  return blobs.get(number);
}

// An array as it is shown: all leading axes as rows, the last as columns; perhaps a sample.
class View {
  constructor(entry) {
    this.entry = entry;
    this.shape = entry.shape;
    this.strides = entry.strides;
    this.sizes = this.shape.map((n, axis) => Math.ceil(n / this.strides[axis]));
    this.columns = this.sizes.length > 1 || entry.examples ? this.sizes.at(-1) : 1;
    this.rows = this.size() / (this.columns || 1) || 0;
  }

  size() {
    return this.sizes.reduce((product, n) => product * n, 1);
  }

  get whole() {
    return this.strides.every((stride) => stride === 1);
  }

  get data() {
    return blob(this.entry.blob, this.entry.format);
  }

  at(row, column) {
    return this.data[row * this.columns + column];
  }

  // The column of an example; undefined if it is not in the sample.
  columnOf(example) {
    const stride = this.strides.at(-1);
    return example % stride || example >= this.shape.at(-1) ? undefined : example / stride;
  }

  // Where the element of a row and a column of the sample stands in the whole array.
  index(row, column) {
    let flat = row * this.columns + column;
    const found = [];
    for (let axis = this.sizes.length - 1; axis >= 0; axis--) {
      found.unshift((flat % this.sizes[axis]) * this.strides[axis]);
      flat = Math.floor(flat / this.sizes[axis]);
    }
    return found;
  }

  // The value at an index of the whole array; undefined if it is not in the sample.
  value(index) {
    let flat = 0;
    for (let axis = 0; axis < index.length; axis++) {
      if (index[axis] % this.strides[axis]) return undefined;
      flat = flat * this.sizes[axis] + index[axis] / this.strides[axis];
    }
    return this.data[flat];
  }
}

const views = new Map();

// A value's entry at a step, or null; what a node reads is another node's output.
function entryOf(node, value, step) {
  if (value.startsWith("inputs.")) {
    return entryOf(doc.nodes[node].inputs[Number(value.slice(7))], "output", step);
  }
  return doc.values?.[node]?.[value]?.[step] ?? null;
}

function viewOf(node, value, step) {
  const entry = entryOf(node, value, step);
  if (!entry || entry.missing) return null;
  if (!views.has(entry)) views.set(entry, new View(entry));
  return views.get(entry);
}

// A number of the statistics; of the norm, that of the whole array, which may not be finite.
function stat(entry, name) {
  if (!entry?.stats) return NaN;
  const of = (key) => Number(entry.stats[doc.statNames.indexOf(key)]);
  if (name === "norm" && of("nan")) return NaN;
  if (name === "norm" && of("inf")) return Infinity;
  return of(name);
}

function valueNames(node) {
  const own = Object.keys(doc.values?.[node] ?? {});
  return [...doc.nodes[node].inputs.map((_, slot) => `inputs.${slot}`), ...own];
}

// The lesson's letter for a value of a node, with the number of its layer; or null.
function letterOf(node, value) {
  for (let i = 0; i < doc.layers.length; i++) {
    const letter = doc.layers[i].letters[node]?.[value];
    if (letter) return letter === "A_prev" || letter === "dA_prev" ? [letter.replace("_prev", ""), i] : [letter, i + 1];
  }
  return null;
}
