// Examples, and the weights that look at them, as the pictures that they are.

// Draws numbers as a picture: one number for each point in shades or colours, or three, red, green, blue.
function pictureOf(numbers, [height, width, depth = 1], scale, label) {
  const canvas = el("canvas", { width, height, class: "picture", role: "img", "aria-label": label });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  if (depth === 1 && scale.kind === "diverging") {
    const pixels = new Uint32Array(image.data.buffer);
    const paint = painter(scale);
    for (let i = 0; i < pixels.length; i++) pixels[i] = paint(numbers[i]);
  } else {
    shade(image.data, numbers, depth, scale);
  }
  context.putImageData(image, 0, 0);
  return el("figure", { class: "tile" }, canvas, el("figcaption", {}, label));
}

function shade(bytes, numbers, depth, { low, high }) {
  const slope = 255 / (high - low || 1);
  for (let i = 0; i < bytes.length / 4; i++) {
    for (let k = 0; k < 3; k++) {
      bytes[4 * i + k] = Math.round((numbers[depth === 1 ? i : 3 * i + k] - low) * slope);
    }
    bytes[4 * i + 3] = 255;
  }
}

const isPictured = (node) => Boolean(doc.image?.inputs.includes(node));

// The rows of a node's weights as pictures, if the node reads pictures; of the nearest step that has them.
function weightPictures(node, step) {
  const { inputs, kind } = doc.nodes[node];
  if (kind !== "linear" || !isPictured(inputs[0])) return null;
  const found = nearestWeights(node, step);
  if (!found) return null;
  return pictureCard("weights", t("rowsAsPictures"), found.rows.map(rowPicture), found.at, step);
}

// The same of their gradient, where it is whole.
function gradientPictures(node, step) {
  const view = viewOf(node, "grad_params.W", step);
  if (!view?.whole || !isPictured(doc.nodes[node].inputs[0])) return null;
  return pictureCard("gradients", t("rowsOfGradient"), rowsOf(view.data, view.shape).map(rowPicture), step, step);
}

const rowsOf = (numbers, [count, length]) =>
  Array.from({ length: count }, (_, row) => numbers.subarray(row * length, (row + 1) * length));

function rowPicture(numbers, row) {
  let size = 0;
  for (const value of numbers) if (Math.abs(value) > size) size = Math.abs(value);
  return pictureOf(numbers, doc.image.shape, scaleOf(-size, size), String(row));
}

// At most steps there is only a byte for each weight, which is enough for a picture: 127.5 is 0.
function nearestWeights(node, step) {
  const away = (at) => Math.abs(doc.steps[at] - doc.steps[step]);
  const frames = (doc.films?.[node] ?? []).map(([s, number]) => ({ at: doc.steps.indexOf(s), number }));
  const whole = doc.steps.map((_, at) => ({ at, view: viewOf(node, "params.W", at) })).filter(({ view }) => view?.whole);
  const [best] = [...whole, ...frames].sort((a, b) => away(a.at) - away(b.at));
  if (!best) return null;
  const numbers = best.view ? best.view.data : Float32Array.from(blob(best.number, "u1"), (shade) => shade - 127.5);
  return { rows: rowsOf(numbers, entryOf(node, "params.W", step).shape), at: best.at };
}

function examplePictures(node, step, example) {
  if (!isPictured(node)) return null;
  const view = viewOf(node, "output", step);
  if (!view || view.strides.slice(0, -1).some((stride) => stride > 1)) return null;
  const numbers = rawPictures(node, view);
  const finite = numbers.map((of) => of.filter(Number.isFinite)).filter((of) => of.length);
  const ends = (of) => of.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
  const [low, high] = ends(finite.flatMap(ends));
  const shades = { kind: "sequential", low, high };
  const chosen = [...Array(view.columns).keys()].filter((c) => example === null || c === view.columnOf(example));
  const tiles = chosen.slice(0, MOST_TILES).map((column) =>
    pictureOf(numbers[column], doc.image.shape, shades, String(view.index(0, column).at(-1))));
  return pictureCard("examples", t("inputsAsPictures"), tiles, step, step);
}

// The examples as they were before the model's scaling: what it makes of them is no picture.
function rawPictures(node, view) {
  const { shift, scale } = doc.image.raw[node] ?? {};
  return Array.from({ length: view.columns }, (_, column) => Float64Array.from({ length: view.rows }, (_, row) => {
    const value = view.at(row, column);
    return shift ? value * scale[row] + shift[row] : value;
  }));
}

const MOST_TILES = 24;

function pictureCard(kind, title, tiles, at, step) {
  const note = at === step ? null : el("span", { class: "quiet" }, t("ofStep", doc.steps[at]));
  return el("section", { class: `card pictures ${kind}` }, el("h4", {}, title, note), el("div", { class: "tiles" }, tiles));
}
