// An array as a picture of its numbers; the pointer and the arrow keys go from element to element.

const MAP_WIDTH = 400;
const MAP_HEIGHT = 230;
const CELL = 22;

class Heatmap {
  // `pointed(row, column)` is told where the pointer is, or null; `held` when an element is chosen.
  constructor(view, { label, example = null, pointed = () => {}, held = () => {}, dead = [] }) {
    this.view = view;
    this.columns = example === null ? [...Array(view.columns).keys()] : [example];
    this.pointed = pointed;
    this.held = held;
    this.place = null;
    this.canvas = el("canvas", {
      class: "heat", tabindex: 0, role: "img", "aria-label": label,
      width: Math.max(this.columns.length, 1), height: Math.max(view.rows, 1),
    });
    this.mark = el("div", { class: "cell-mark", hidden: true });
    this.element = el("div", { class: "heat-box" }, this.canvas, this.mark);
    this.size();
    this.paint();
    for (const row of dead) this.markDead(row);
    this.listen();
  }

  size() {
    const { rows } = this.view;
    const columns = this.columns.length;
    const across = Math.min(CELL, MAP_WIDTH / columns);
    const down = Math.min(CELL, MAP_HEIGHT / rows);
    const square = Math.min(across, down);
    // Square elements, unless the array is so long that they would be too thin to be seen.
    this.across = Math.max(square, Math.min(across, 6));
    this.down = Math.max(square, Math.min(down, 6));
    this.canvas.style.width = `${this.across * columns}px`;
    this.canvas.style.height = `${this.down * rows}px`;
    if (this.across < 1 || this.down < 1) this.canvas.classList.add("shrunk");
  }

  paint() {
    const { view, columns } = this;
    this.scale = scaleOf(stat(view.entry, "min") || 0, stat(view.entry, "max") || 0);
    const context = this.canvas.getContext("2d");
    const image = context.createImageData(this.canvas.width, this.canvas.height);
    const pixels = new Uint32Array(image.data.buffer);
    const paint = painter(this.scale);
    const { data, columns: width } = view;
    let at = 0;
    for (let row = 0; row < view.rows; row++) {
      for (const column of columns) pixels[at++] = paint(data[row * width + column]);
    }
    context.putImageData(image, 0, 0);
  }

  markDead(index) {
    const stride = this.view.strides[0];
    if (index % stride) return;
    const row = index / stride;
    const mark = el("div", { class: "dead-mark" });
    mark.style.top = `${row * this.down}px`;
    mark.style.height = `${Math.max(this.down, 2)}px`;
    this.element.append(mark);
  }

  listen() {
    const find = (event) => {
      const box = this.canvas.getBoundingClientRect();
      const column = Math.floor(((event.clientX - box.left) / box.width) * this.canvas.width);
      const row = Math.floor(((event.clientY - box.top) / box.height) * this.canvas.height);
      return [this.clamp(row, this.view.rows), this.clamp(column, this.columns.length)];
    };
    this.canvas.addEventListener("pointermove", (event) => this.go(...find(event)));
    this.canvas.addEventListener("pointerleave", () => this.leave());
    this.canvas.addEventListener("blur", () => this.leave());
    this.canvas.addEventListener("click", (event) => {
      this.go(...find(event));
      this.hold();
    });
    this.canvas.addEventListener("keydown", (event) => this.key(event));
  }

  clamp(value, length) {
    return Math.min(Math.max(value, 0), length - 1);
  }

  key(event) {
    const moves = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
    if (event.key === "Enter" || event.key === " ") this.hold();
    else if (moves[event.key]) {
      const [row, column] = this.place ?? [0, 0];
      const [down, right] = this.place ? moves[event.key] : [0, 0];
      this.go(this.clamp(row + down, this.view.rows), this.clamp(column + right, this.columns.length));
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }

  go(row, column) {
    this.place = [row, column];
    this.mark.hidden = false;
    Object.assign(this.mark.style, {
      left: `${column * this.across}px`, top: `${row * this.down}px`,
      width: `${Math.max(this.across, 3)}px`, height: `${Math.max(this.down, 3)}px`,
    });
    this.pointed(row, this.columns[column]);
  }

  hold() {
    if (this.place) this.held(this.place[0], this.columns[this.place[1]]);
  }

  leave() {
    this.place = null;
    this.mark.hidden = true;
    this.pointed(null, null);
  }
}

// The colours of a heatmap with the numbers that they stand for.
function colourBar(scale) {
  const canvas = el("canvas", { width: STEPS, height: 1, class: "bar", "aria-hidden": "true" });
  const context = canvas.getContext("2d");
  const image = context.createImageData(STEPS, 1);
  tables[theme()][scale.kind].forEach(([r, g, b], i) => image.data.set([r, g, b, 255], 4 * i));
  context.putImageData(image, 0, 0);
  const middle = scale.kind === "diverging" ? "0" : "";
  return el("div", { class: "colour-bar" }, canvas,
    el("div", { class: "marks" }, el("span", {}, short(scale.low)), el("span", {}, middle), el("span", {}, short(scale.high))));
}
