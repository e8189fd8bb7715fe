// Examples, and the weights that look at them, as the pictures that they are.

// Draws numbers as a picture: `colour` makes [r, g, b] of the channels of a point.
function pictureOf(numbers, [height, width, depth = 1], colour, label) {
  const canvas = el("canvas", { width, height, class: "picture", role: "img", "aria-label": label });
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    image.data.set([...colour(numbers.subarray(i * depth, (i + 1) * depth)), 255], 4 * i);
  }
  context.putImageData(image, 0, 0);
  return el("figure", { class: "tile" }, canvas, el("figcaption", {}, label));
}

function greyOrRgb(low, high) {
  const span = high - low || 1;
  const shade = (value) => Math.round((255 * (value - low)) / span);
  return (point) => (point.length === 3 ? [...point].map(shade) : Array(3).fill(shade(point[0])));
}

// Weights around zero: zero is grey in every channel of a colour, and the middle of the map else.
function weights(size) {
  const scale = scaleOf(-size, size);
  const shade = (value) => Math.round(127.5 + (127.5 * value) / (size || 1));
  return (point) => (point.length === 3 ? [...point].map(shade) : colourOf(point[0], scale));
}

const isPictured = (node) => Boolean(doc.image?.inputs.includes(node));

// The rows of a node's weights as pictures, if the node reads pictures; of the nearest step that has them.
function weightPictures(node, step) {
  const { inputs, kind } = doc.nodes[node];
  if (kind !== "linear" || !isPictured(inputs[0])) return null;
  const found = nearestWeights(node, step);
  if (!found) return null;
  const { rows, at } = found;
  const tiles = rows.map((numbers, row) => {
    const size = numbers.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    return pictureOf(numbers, doc.image.shape, weights(size), String(row));
  });
  return pictureCard("weights", t("rowsAsPictures"), tiles, at, step);
}

// At most steps there is only a byte for each weight, which is enough for a picture: 127.5 is 0.
function nearestWeights(node, step) {
  const away = (at) => Math.abs(doc.steps[at] - doc.steps[step]);
  const frames = (doc.films?.[node] ?? []).map(([s, number]) => ({ at: doc.steps.indexOf(s), number }));
  const whole = doc.steps.map((_, at) => ({ at, view: viewOf(node, "params.W", at) })).filter(({ view }) => view?.whole);
  const [best] = [...whole, ...frames].sort((a, b) => away(a.at) - away(b.at));
  if (!best) return null;
  const [count, length] = entryOf(node, "params.W", step).shape;
  const numbers = best.view ? best.view.data : Float32Array.from(blob(best.number, "u1"), (shade) => shade - 127.5);
  const rows = Array.from({ length: count }, (_, row) => numbers.subarray(row * length, (row + 1) * length));
  return { rows, at: best.at };
}

function examplePictures(node, step, example) {
  if (!isPictured(node)) return null;
  const view = viewOf(node, "output", step);
  if (!view || view.strides.slice(0, -1).some((stride) => stride > 1)) return null;
  const colour = greyOrRgb(stat(view.entry, "min"), stat(view.entry, "max"));
  const chosen = [...Array(view.columns).keys()].filter((c) => example === null || c === example);
  const tiles = chosen.slice(0, MOST_TILES).map((column) => {
    const numbers = Float64Array.from({ length: view.rows }, (_, row) => view.at(row, column));
    return pictureOf(numbers, doc.image.shape, colour, String(view.index(0, column).at(-1)));
  });
  return pictureCard("examples", t("inputsAsPictures"), tiles, step, step);
}

const MOST_TILES = 24;

function pictureCard(kind, title, tiles, at, step) {
  const note = at === step ? null : el("span", { class: "quiet" }, t("ofStep", doc.steps[at]));
  return el("section", { class: `card pictures ${kind}` }, el("h4", {}, title, note), el("div", { class: "tiles" }, tiles));
}
