// What a model with two features answers, all over the plane, with the examples.

const CLASS_COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#8c8c8c"];
const PLANE = 340;

function plane(step) {
  const { boundary } = doc;
  if (!boundary) return null;
  // The answers of the last step come first.
  const at = (step + 1) % doc.steps.length;
  const answers = planeAnswers(boundary, at);
  const { grid } = boundary;
  const canvas = el("canvas", { width: grid, height: grid, class: "plane", role: "img", "aria-label": t("plane") });
  const context = canvas.getContext("2d");
  const image = context.createImageData(grid, grid);
  answers.forEach((answer, i) => image.data.set([...answerColour(answer), 255], 4 * i));
  context.putImageData(image, 0, 0);
  const readout = el("p", { class: "quiet readout" }, t("planeHint"));
  const points = svg("svg", { viewBox: `0 0 ${PLANE} ${PLANE}`, class: "points" });
  const place = (value, axis) => (PLANE * (value - boundary.low[axis])) / (boundary.high[axis] - boundary.low[axis]);
  boundary.points.forEach(([x, y], i) => points.append(pointMark(place(x, 0), PLANE - place(y, 1), boundary.labels[i])));
  const box = el("div", { class: "plane-box" }, canvas, points);
  box.addEventListener("pointermove", (event) => {
    const area = box.getBoundingClientRect();
    const across = Math.min(0.999, Math.max(0, (event.clientX - area.left) / area.width));
    const down = Math.min(0.999, Math.max(0, (event.clientY - area.top) / area.height));
    const answer = answers[Math.floor(down * grid) * grid + Math.floor(across * grid)];
    const where = [across, 1 - down].map((p, axis) => boundary.low[axis] + p * (boundary.high[axis] - boundary.low[axis]));
    readout.textContent = `(${where.map(short).join(", ")}) → ${t("answer")} ${digits(answer)}`;
  });
  return el("section", { class: "card plane-card" }, el("h4", {}, t("plane")), box, readout);
}

const planes = new Map();

function planeAnswers(boundary, at) {
  if (!planes.has(at)) planes.set(at, decoded(boundary.answers[at], "f4"));
  return planes.get(at);
}

// Two classes: from the colour of the one to that of the other. More: the colour of the class.
function answerColour(answer) {
  const paper = theme() === "dark" ? [24, 27, 32] : [252, 252, 250];
  const mixed = (name, share) => channels(name).map((c, k) => Math.round(paper[k] + (c - paper[k]) * share));
  if (doc.boundary.classes > 2) return mixed(CLASS_COLOURS[answer % CLASS_COLOURS.length], 0.45);
  const from = Math.min(1, Math.max(0, answer));
  return mixed(CLASS_COLOURS[from < 0.5 ? 0 : 1], 0.08 + Math.abs(from - 0.5) * 1.2);
}

// Classes differ in shape, too: they can be told apart without colours.
function pointMark(x, y, label) {
  const colour = CLASS_COLOURS[label % CLASS_COLOURS.length];
  const size = 4;
  const mark = label % 2
    ? svg("rect", { x: x - size + 0.5, y: y - size + 0.5, width: 2 * size - 1, height: 2 * size - 1, class: "point" })
    : svg("circle", { cx: x, cy: y, r: size, class: "point" });
  mark.style.fill = colour;
  return mark;
}
