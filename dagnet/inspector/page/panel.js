// What is known of the chosen node: facts, and a card for every array.

const SECTIONS = [
  ["forward", ["inputs", "output", "saved"]],
  ["learnt", ["params", "state"]],
  ["backward", ["grad_output", "grad_inputs", "grad_params"]],
];

class Panel {
  constructor() {
    this.body = el("div", { class: "panel-body" });
    this.lensBox = el("section", { class: "lens", "aria-live": "polite" });
    this.element = el("section", { class: "panel", id: "panel" }, this.body, this.lensBox);
    this.held = null;
  }

  // Draws all anew; what is held in the lens stays, and follows the step.
  show({ node, box, step, example }) {
    const top = node === this.node ? this.body.scrollTop : 0;
    if (node !== this.node) this.held = null;
    Object.assign(this, { node, step, example });
    this.body.replaceChildren(...(node ? this.nodeParts() : box ? this.boxParts(box) : this.overviewParts()));
    this.body.scrollTop = top;
    this.showLens(this.held);
  }

  // Overview.

  overviewParts() {
    const { step } = this;
    const parts = [el("header", {}, el("h2", {}, t("overview")), el("p", {}, modelText()), el("p", { class: "ran" }, ranText()), firstBadText(step))];
    const pictured = (doc.image?.inputs ?? []).map((name) => examplePictures(name, step, null));
    const weighing = Object.keys(doc.nodes).map((name) => weightPictures(name, step));
    parts.push(el("div", { class: "cards" }, plane(step), pictured, weighing));
    parts.push(el("h3", {}, t("outputs")), this.table(Object.keys(doc.nodes)));
    parts.push(el("footer", { class: "quiet" }, el("p", {}, t("keys")), el("p", {}, t("made", doc.version))));
    return parts;
  }

  table(names) {
    const columns = ["mean", "std", "min", "max", "zeros", "norm"];
    const rows = names.slice(0, 400).map((name) => {
      const entry = entryOf(name, "output", this.step);
      const cells = columns.map((c) => (entry?.stats ? (c === "zeros" ? percent(stat(entry, c)) : short(stat(entry, c))) : "—"));
      const shape = entry?.shape ?? doc.nodes[name].shape;
      return el("tr", {}, [nodeLink(name), kindWord(doc.nodes[name].kind), shapeText(shape), ...cells, marks(entry)].map((cell) => el("td", {}, cell)));
    });
    const head = [t("node"), t("kind"), t("shape"), ...columns.map((c) => t(`stat_${c}`)), ""];
    return el("div", { class: "wide" }, el("table", { class: "values" },
      el("thead", {}, el("tr", {}, head.map((text) => el("th", {}, text)))), el("tbody", {}, rows)));
  }

  boxParts(names) {
    const open = app.graph.opened(names)
      ? el("button", { type: "button", id: "expand", onclick: () => app.expand(names) }, t("expand")) : null;
    return [el("header", {}, el("h2", {}, t("box", names.length)), open), this.table(names)];
  }

  // A node.

  nodeParts() {
    const { node } = this;
    const parts = [this.nodeHead(node), this.exampleBar(node)];
    const names = valueNames(node);
    for (const [title, groups] of SECTIONS) {
      const own = names.filter((name) => groups.includes(name.split(".")[0]));
      if (!own.length || !doc.steps.length) continue;
      parts.push(el("h3", {}, t(title)));
      const pictures = title === "forward" ? examplePictures(node, this.step, this.example)
        : title === "learnt" ? weightPictures(node, this.step) : gradientPictures(node, this.step);
      parts.push(el("div", { class: "cards" }, pictures, own.map((name) => this.card(node, name))));
    }
    return parts;
  }

  nodeHead(node) {
    const of = doc.nodes[node];
    const facts = [
      [t("equation"), of.equation && el("code", { class: "equation" }, of.equation)],
      [t("line"), of.source && el("span", {}, `${of.source.place}  `, el("code", {}, of.source.text))],
      [t("settings"), Object.entries(of.settings).map(([name, value]) => `${name} = ${value}`).join(", ")],
      [t("reads"), of.inputs.length && of.inputs.map(nodeLink)],
      [t("readBy"), of.readers.length && [...new Set(of.readers.map(([name]) => name))].map(nodeLink)],
      [t("parameters"), of.parameters && count(of.parameters)],
      [t("time"), of.seconds && seconds(of.seconds)],
      [t("bytes"), of.bytes && bytes(of.bytes)],
      [t("flops"), of.flops && count(of.flops)],
    ].filter(([, value]) => value);
    const badge = of.check && el("span", { class: `badge ${of.check.verdict}` },
      `${{ ok: "✓", wrong: "✗", unchecked: "?" }[of.check.verdict]} ${t(`check_${of.check.verdict}`)} ${digits(of.check.error, 2)}`);
    return el("header", {},
      el("h2", { id: "node-name" }, node, " ", el("span", { class: `kind ${of.kind}` }, of.op), " ", badge || null),
      el("dl", { class: "facts" }, facts.map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)))),
      doc.steps.length ? null : el("p", { class: "ran" }, t("noRun")));
  }

  // The examples to choose from are those of the array that has the most of them.
  exampleBar(node) {
    const all = valueNames(node).map((name) => viewOf(node, name, this.step)).filter((v) => v?.entry.examples);
    if (!all.length) return "";
    const view = all.reduce((most, v) => (v.columns > most.columns ? v : most));
    if (view.columns < 2) return "";
    const stride = view.strides.at(-1);
    const options = Array.from({ length: view.columns }, (_, column) =>
      el("option", { value: column * stride, selected: this.example === column * stride }, String(column * stride)));
    const change = (event) => app.example(event.target.value === "" ? null : Number(event.target.value));
    return el("div", { class: "example-bar" }, el("label", {}, `${t("examples")} `,
      el("select", { id: "example", onchange: change }, el("option", { value: "" }, t("all")), options)),
      el("span", { class: "quiet" }, ` ${t("exampleOf", view.shape.at(-1))}${stride > 1 ? ` (${t("sampleExample", stride)})` : ""}`));
  }

  card(node, name) {
    const entry = entryOf(node, name, this.step);
    const sign = letterOf(node, name);
    const head = el("h4", {}, sign && letter(sign), el("span", { class: "value-name" }, name));
    if (!entry || entry.missing) {
      return el("article", { class: "card", "data-value": name }, head, el("p", { class: "quiet" }, missingText(entry)));
    }
    const view = viewOf(node, name, this.step);
    head.append(el("span", { class: "quiet" }, `${shapeText(entry.shape)} ${entry.dtype}`));
    const readout = el("output", { class: "readout" }, " ");
    const example = entry.examples && this.example !== null ? view.columnOf(this.example) : null;
    if (example === undefined) {
      return el("article", { class: "card", "data-value": name }, head, el("p", { class: "quiet" }, t("notInSample", this.example)));
    }
    const map = new Heatmap(view, {
      label: `${node} ${name}`, example, dead: entry.dead ?? [],
      pointed: (row, column) => this.point(node, name, view, row, column, readout),
      held: (row, column) => this.hold(node, name, view.index(row, column)),
    });
    if (entry.blob === undefined || !view.size()) return el("article", { class: "card", "data-value": name }, head);
    return el("article", { class: "card", "data-value": name }, head,
      el("div", { class: "array" }, map.element, el("div", { class: "spread" }, histogram(entry), colourBar(map.scale))),
      readout,
      statRow(entry), this.notes(node, name, view));
  }

  notes(node, name, view) {
    const { entry } = view;
    const found = badMarks(entry);
    if (entry.dead?.length) {
      const some = entry.dead.slice(0, 12).join(", ") + (entry.dead.length > 12 ? ", …" : "");
      found.push(el("p", { class: "warn dead" }, `▸ ${t("dead", entry.dead.length, some)}`));
    }
    if (!view.whole) found.push(el("p", { class: "quiet sampled" }, sampleText(view), wholeText(node, name)));
    return found;
  }

  // The element under the pointer: its exact number, and what made it.
  point(node, name, view, row, column, readout) {
    if (row === null) {
      readout.textContent = " ";
      this.showLens(this.held);
      return;
    }
    const index = view.index(row, column);
    const value = view.at(row, column);
    readout.replaceChildren(`[${index.join(", ")}] = `, el("b", { "data-exact": String(value) }, exact(value)));
    if (!this.held) this.showLens({ node, name, index });
  }

  hold(node, name, index) {
    const same = this.held && this.held.name === name && this.held.index.join() === index.join();
    this.held = same ? null : { node, name, index };
    this.showLens(this.held ?? { node, name, index });
  }

  showLens(at) {
    this.lensBox.hidden = !this.node || !doc.steps.length || !hasLens(this.node);
    const found = at && lensOf(at.node, at.name, at.index, this.step);
    const usable = found && found.value !== undefined;
    this.lensBox.replaceChildren(
      usable ? lensTable(found, this.held !== null) : el("p", { class: "quiet" }, el("b", {}, t("lens")), ` · ${t("lensHint")}`));
  }
}

function modelText() {
  const { nodes, parameters, dtype } = doc.model;
  return t("model", count(nodes), count(parameters), dtype);
}

const missingText = (entry) => t("missing", reasonWord(entry?.missing ?? ""));

function ranText() {
  if (!doc.steps.length) return t("noRun");
  if (doc.recorded < 2) return t("oneRun", count(doc.examples));
  const text = t("recorded", count(doc.recorded), count(doc.examples));
  return doc.steps.length < doc.recorded ? `${text} ${t("fewerSteps", doc.steps.length, doc.recorded)}` : text;
}

// How many numbers are not finite.
function badMarks(entry) {
  return ["nan", "inf"].filter((name) => stat(entry, name) > 0)
    .map((name) => el("p", { class: `warn ${name}` }, `■ ${t(name, count(stat(entry, name)))}`));
}

// What is wrong with an output, for the last column of a table.
function marks(entry) {
  const dead = entry?.dead?.length;
  return [...badMarks(entry), dead ? el("p", { class: "warn" }, `▸ ${t("deadCount", dead, entry.shape[0])}`) : ""];
}

function firstBadText(step) {
  const found = firstBad(step);
  return found && el("p", { class: "warn nan", id: "first-bad" }, `■ ${t("firstBad")} `, nodeLink(found[0]), ` ${found[1]}`);
}

function statRow(entry) {
  const names = doc.statNames.filter((name) => (name !== "nan" && name !== "inf") || stat(entry, name) > 0);
  return el("dl", { class: "stats" }, names.map((name) => {
    const value = stat(entry, name);
    const text = name === "zeros" ? percent(value) : digits(value);
    return el("div", { "data-stat": name, "data-exact": String(value) }, el("dt", {}, t(`stat_${name}`)), el("dd", {}, text));
  }));
}

function sampleText(view) {
  const last = view.strides.length - 1;
  const parts = view.strides.map((stride, axis) => {
    if (stride === 1) return null;
    if (axis === last && view.entry.examples) return t("sampleExample", stride);
    return t(axis === last && last > 0 ? "sampleColumn" : "sampleRow", stride);
  });
  return t("sample", shapeText(view.shape), parts.filter(Boolean).join(t("and")));
}

function wholeText(node, name) {
  const steps = doc.steps.filter((_, i) => viewOf(node, name, i)?.whole);
  return steps.length && doc.steps.length > 1 ? ` ${t("whole", steps.join(", "))}.` : "";
}
