// The drawing of the network: to move in, to choose nodes on, and to colour.

const drawingName = (name) => (/^\d+$/.test(name) ? t("level", name) : t(name));

const ZOOM_STEP = 1.25;

const XLINK = "http://www.w3.org/1999/xlink";

class GraphView {
  constructor() {
    this.canvas = el("div", { class: "graph-canvas" });
    this.legend = el("div", { class: "legend", hidden: true });
    this.note = el("p", { class: "quiet plain-note", hidden: true });
    this.tools = el("div", { class: "tools", role: "toolbar" });
    this.element = el("section", { class: "graph", id: "graph" }, this.tools, this.canvas, this.legend, this.note);
    this.drawing = "folded";
    this.listen();
  }

  // Which drawing is shown; the boxes of a folded one stand for several nodes. Texts are measured:
  // the page must be there.
  show(name) {
    this.drawing = name;
    const { svg: text, plain } = doc.drawings[name];
    const parsed = new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
    this.svg = document.importNode(parsed, true);
    for (const name of ["width", "height"]) this.svg.removeAttribute(name);
    const { x, y, width, height } = this.svg.viewBox.baseVal;
    this.whole = [x, y, width, height];
    this.canvas.replaceChildren(this.svg);
    this.say(doc.drawings[name][language.now] ?? {});
    this.note.hidden = !plain;
    this.boxes = new Map();
    for (const [id, names] of Object.entries(doc.drawings[name].boxes)) this.prepare(id, names);
    this.fit();
  }

  // The same drawing, in the language of now.
  redraw() {
    const { view } = this;
    this.show(this.drawing);
    this.view = view;
    this.apply();
  }

  // Puts other texts in the place of those that were laid out, each around the same middle.
  say(texts) {
    const changes = Object.entries(texts).flatMap(([id, [tooltip, ...lines]]) => {
      const element = this.svg.querySelector(`#${CSS.escape(id)}`);
      element.querySelector("[*|title]")?.setAttributeNS(XLINK, "title", tooltip);
      return [...element.querySelectorAll("text")].map((text, i) => ({ text, line: lines[i], box: text.getBBox() }));
    });
    for (const { text, line, box } of changes) {
      fill(text, { x: box.x + box.width / 2, "text-anchor": "middle" }, []);
      text.textContent = line;
    }
  }

  prepare(id, names) {
    const element = this.svg.querySelector(`#${CSS.escape(id)}`);
    if (!element || !names.length) return;
    const text = element.querySelector("[*|title]")?.getAttributeNS(XLINK, "title");
    const title = element.querySelector("title");
    if (text && title) title.textContent = text;
    const label = names.length > 1 ? `${names[0]} … ${names.at(-1)}` : names[0];
    fill(element, { tabindex: 0, role: "button", "aria-label": label }, []);
    element.addEventListener("click", () => !this.dragged && app.choose(names));
    element.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") {
        event.preventDefault();
        app.choose(names);
      }
    });
    this.boxes.set(id, { element, names });
  }

  // The next drawing in which a box is open, or null.
  opened(names) {
    const order = Object.keys(doc.drawings);
    const later = order.slice(order.indexOf(this.drawing) + 1);
    const fewer = (own) => own.includes(names[0]) && own.length < names.length;
    return later.find((name) => Object.values(doc.drawings[name].boxes).some(fewer)) ?? null;
  }

  boxOf(node) {
    for (const [, box] of this.boxes) if (box.names.includes(node)) return box;
    return null;
  }

  select(names) {
    for (const { element, names: own } of this.boxes.values()) {
      element.classList.toggle("selected", own.some((name) => names.includes(name)));
    }
  }

  // Colours.

  colour(overlay, step) {
    for (const { element, names } of this.boxes.values()) {
      element.classList.toggle("bad", names.some((name) => hasBad(name, step)));
    }
    const measured = OVERLAYS[overlay] ? measure(overlay, doc.drawings[this.drawing].boxes, step) : null;
    for (const [id, { element }] of this.boxes) {
      const number = measured?.found[id];
      element.classList.toggle("coloured", Boolean(measured));
      const rgb = number && colourOf(number.value, measured.scale);
      for (const shape of element.querySelectorAll('[fill]:not([fill="none"]):not(text)')) {
        shape.style.fill = rgb ? css(rgb) : "";
      }
      for (const text of element.querySelectorAll("text")) text.style.fill = rgb ? inkOn(rgb) : "";
    }
    this.legend.hidden = !measured;
    this.legend.replaceChildren(...(measured ? this.legendOf(overlay, measured) : []));
  }

  legendOf(overlay, { found, scale, text }) {
    const rows = [...this.boxes].filter(([id]) => found[id]).map(([id, { names }]) => {
      const label = names.length > 1 ? `${names[0]} … ${names.at(-1)}` : names[0];
      const swatch = el("span", { class: "swatch" });
      swatch.style.background = css(colourOf(found[id].value, scale));
      return el("tr", { "data-node": names[0] }, el("td", {}, swatch, label), el("td", {}, found[id].text));
    });
    const title = el("summary", {}, t(overlay));
    if (!scale) return [el("p", { class: "quiet" }, `${t(overlay)}: —`)];
    return [el("details", { open: true }, title, colourBar(scale), el("table", {}, rows))];
  }

  // Moving.

  fit() {
    this.view = [...this.whole];
    this.apply();
  }

  apply() {
    this.svg.setAttribute("viewBox", this.view.join(" "));
  }

  zoom(factor, at = [0.5, 0.5]) {
    const [x, y, width, height] = this.view;
    const smallest = this.whole[2] / 60;
    if (width / factor < smallest || width / factor > this.whole[2] * 4) return;
    this.view = [x + at[0] * (width - width / factor), y + at[1] * (height - height / factor), width / factor, height / factor];
    this.apply();
  }

  pan(dx, dy) {
    const box = this.svg.getBoundingClientRect();
    const scale = Math.max(this.view[2] / box.width, this.view[3] / box.height);
    this.view[0] -= dx * scale;
    this.view[1] -= dy * scale;
    this.apply();
  }

  // Brings a box into sight.
  reveal(node) {
    const box = this.boxOf(node);
    if (!box) return;
    const [own, pane] = [box.element.getBoundingClientRect(), this.canvas.getBoundingClientRect()];
    const inside = own.left >= pane.left && own.right <= pane.right && own.top >= pane.top && own.bottom <= pane.bottom;
    if (!inside) this.pan((pane.left + pane.right - own.left - own.right) / 2, (pane.top + pane.bottom - own.top - own.bottom) / 2);
  }

  listen() {
    this.canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      const box = this.canvas.getBoundingClientRect();
      const at = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
      this.zoom(event.deltaY < 0 ? 1.12 : 1 / 1.12, at);
    }, { passive: false });
    let last = null;
    this.canvas.addEventListener("pointerdown", (event) => {
      last = [event.clientX, event.clientY];
      this.dragged = false;
    });
    this.canvas.addEventListener("pointermove", (event) => {
      if (!last || !(event.buttons & 1)) return;
      const [dx, dy] = [event.clientX - last[0], event.clientY - last[1]];
      if (!this.dragged && Math.hypot(dx, dy) < 4) return;
      this.dragged = true;
      this.pan(dx, dy);
      last = [event.clientX, event.clientY];
    });
    window.addEventListener("pointerup", () => { last = null; });
  }

  // The tools above the drawing, in the language of now.
  relabel(overlay) {
    const options = Object.keys(OVERLAYS).map((name) => el("option", { value: name, selected: name === overlay }, t(name)));
    const drawings = Object.keys(doc.drawings).map((name) => el("option", { value: name, selected: name === this.drawing }, drawingName(name)));
    const button = (text, name, act) => el("button", { type: "button", title: t(name), "aria-label": t(name), onclick: act }, text);
    this.tools.replaceChildren(
      drawings.length > 1 ? el("select", { id: "drawing", "aria-label": t("graph"), onchange: (e) => app.draw(e.target.value) }, drawings) : "",
      el("label", {}, `${t("overlay")} `, el("select", { id: "overlay", onchange: (e) => app.overlay(e.target.value) }, options)),
      el("span", { class: "zooms" },
        button("−", "zoomOut", () => this.zoom(1 / ZOOM_STEP)), button("+", "zoomIn", () => this.zoom(ZOOM_STEP)),
        button("⤢", "fit", () => this.fit())),
    );
    this.note.textContent = t("plainLayout");
    this.canvas.setAttribute("aria-label", t("graph"));
  }
}
