// The page as a whole: what is chosen, and what follows from it.

class App {
  constructor() {
    this.state = { node: null, box: null, step: Math.max(doc.steps.length - 1, 0), example: null, overlay: "none" };
  }

  start() {
    this.theme(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", (event) => {
      this.theme(event.matches ? "dark" : "light");
      this.refresh();
    });
    this.header = el("header", { class: "top" });
    this.timeline = new Timeline();
    this.graph = new GraphView();
    this.panel = new Panel();
    document.getElementById("app").replaceChildren(this.header, this.timeline.element,
      el("main", {}, this.graph.element, this.panel.element));
    document.addEventListener("keydown", (event) => this.key(event));
    this.relabel();
    this.draw("folded");
    this.printing();
  }

  // On paper, everything is light.
  printing() {
    let before;
    window.addEventListener("beforeprint", () => {
      before = theme();
      this.theme("light");
      this.refresh();
    });
    window.addEventListener("afterprint", () => {
      this.theme(before);
      this.refresh();
    });
  }

  theme(name) {
    document.documentElement.dataset.theme = name;
  }

  relabel() {
    document.documentElement.lang = language.now;
    const { list, search } = this.searchBox();
    const button = (id, text, label, act) => el("button", { type: "button", id, "aria-label": label, title: label, onclick: act }, text);
    this.header.replaceChildren(
      el("button", { type: "button", id: "home", class: "title", title: t("overview"), onclick: () => this.select(null) }, el("h1", {}, doc.title)),
      search, list,
      el("span", { class: "switches" },
        button("language", t("language"), t("language"), () => this.switchLanguage()),
        button("theme", "◐", t("theme"), () => {
          this.theme(theme() === "dark" ? "light" : "dark");
          this.refresh();
        })));
    this.graph.relabel(this.state.overlay);
    this.timeline.relabel();
  }

  searchBox() {
    const list = el("datalist", { id: "names" }, Object.keys(doc.nodes).map((name) => el("option", { value: name })));
    const search = el("input", {
      type: "search", id: "search", list: "names", placeholder: t("search"), "aria-label": t("search"),
      onchange: (event) => this.find(event.target),
    });
    return { list, search };
  }

  // The node of a name, or the first whose name holds what was typed.
  find(input) {
    const text = input.value.trim();
    if (!text) return;
    const names = Object.keys(doc.nodes);
    const found = names.find((name) => name === text) ?? names.find((name) => name.toLowerCase().includes(text.toLowerCase()));
    input.setCustomValidity(found ? "" : t("notFound"));
    input.reportValidity();
    if (found) this.select(found);
  }

  switchLanguage() {
    language.now = language.now === "en" ? "zh" : "en";
    this.relabel();
    this.graph.redraw();
    this.refresh();
  }

  refresh() {
    const { node, box, step, overlay } = this.state;
    this.graph.select(node ? [node] : box ?? []);
    this.graph.colour(overlay, step);
    this.timeline.show(step);
    this.panel.show(this.state);
  }

  change(what) {
    Object.assign(this.state, what);
    this.refresh();
  }

  select(node) {
    this.change({ node, box: null });
    if (node) this.graph.reveal(node);
  }

  choose(names) {
    if (names.length === 1) this.select(names[0]);
    else this.change({ node: null, box: names });
  }

  // Opens a box, and chooses the first of what was in it.
  expand(names) {
    this.draw(this.graph.opened(names));
    this.graph.relabel(this.state.overlay);
    const own = this.graph.boxOf(names[0]).names;
    this.choose(own);
    this.graph.reveal(own[0]);
  }

  draw(name) {
    this.graph.show(name);
    this.refresh();
  }

  overlay(overlay) {
    this.change({ overlay });
  }

  example(example) {
    this.change({ example });
  }

  goto(step) {
    this.change({ step });
  }

  key(event) {
    if (event.target.matches("input, select")) return;
    const { step } = this.state;
    const keys = {
      "/": () => document.getElementById("search").focus(),
      "+": () => this.graph.zoom(ZOOM_STEP), "=": () => this.graph.zoom(ZOOM_STEP), "-": () => this.graph.zoom(1 / ZOOM_STEP),
      0: () => this.graph.fit(),
      ArrowLeft: () => this.goto(Math.max(step - 1, 0)),
      ArrowRight: () => this.goto(Math.min(step + 1, Math.max(doc.steps.length - 1, 0))),
      Escape: () => this.select(null),
    };
    if (!keys[event.key] || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    keys[event.key]();
  }
}

const app = new App();
app.start();
