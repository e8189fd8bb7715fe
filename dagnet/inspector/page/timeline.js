// The recorded steps: a slider, with the curve of the cost and the alerts above it.

const CURVE = { width: 1000, height: 64, pad: 6 };
const PLAY_EVERY = 450;

class Timeline {
  constructor() {
    this.curve = el("div", { class: "curve" });
    this.slider = el("input", {
      type: "range", id: "step", min: 0, max: Math.max(doc.steps.length - 1, 0), step: 1,
      oninput: () => app.goto(Number(this.slider.value)),
    });
    this.readout = el("output", { id: "step-readout", for: "step" });
    this.range = el("span", { class: "quiet range" });
    this.player = el("button", { type: "button", id: "play", onclick: () => this.toggle() });
    this.said = el("p", { class: "alert-text", role: "status" });
    this.element = el("section", { class: "timeline", hidden: doc.steps.length < 2 },
      el("div", { class: "time-head" }, this.player, this.readout, this.said, this.range), this.curve, this.slider);
    this.timer = null;
  }

  get known() {
    const own = { steps: doc.steps, values: doc.cost ?? [] };
    const points = (doc.history ?? own).steps.map((step, i) => [step, Number((doc.history ?? own).values[i])]);
    return points.filter(([, value]) => Number.isFinite(value));
  }

  relabel() {
    this.slider.setAttribute("aria-label", t("step"));
    this.player.textContent = this.timer ? "❚❚" : "▶";
    this.player.setAttribute("aria-label", t(this.timer ? "pause" : "play"));
    this.player.title = t(this.timer ? "pause" : "play");
  }

  show(index) {
    if (doc.steps.length < 2) return;
    this.slider.value = index;
    const step = doc.steps[index];
    this.readout.replaceChildren(`${t("step")} `, el("b", {}, String(step)), ` / ${doc.steps.at(-1)} · ${t("cost")} = `,
      el("b", { id: "cost" }, digits(Number(doc.cost[index]))));
    this.slider.setAttribute("aria-valuetext", `${t("step")} ${step}`);
    const near = doc.alerts.filter((alert) => this.nearest(alert.step) === index);
    this.said.textContent = near.length ? `⚠ ${near.slice(0, 2).map((a) => t("alertAt", a.step, `${a.node ? `${a.node}: ` : ""}${a.message}`)).join(" · ")}` : "";
    this.draw(step);
  }

  nearest(step) {
    let best = 0;
    doc.steps.forEach((own, i) => {
      if (Math.abs(own - step) < Math.abs(doc.steps[best] - step)) best = i;
    });
    return best;
  }

  draw(step) {
    const { width, height, pad } = CURVE;
    const points = this.known;
    const [first, last] = [doc.steps[0], doc.steps.at(-1)];
    const values = points.map(([, value]) => value);
    const [low, high] = [Math.min(...values), Math.max(...values)];
    // The thumb of a slider stays within its track: so do the ends of the curve.
    const x = (s) => 8 + (width - 16) * this.place(s, first, last);
    const y = (v) => height - pad - (height - 2 * pad) * (high > low ? (v - low) / (high - low) : 0.5);
    const path = points.map(([s, v], i) => `${i ? "L" : "M"}${x(s).toFixed(1)},${y(v).toFixed(1)}`).join("");
    const picture = svg("svg", { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", role: "img", "aria-label": t("cost") },
      svg("path", { d: path, class: "cost-line" }),
      doc.steps.map((s) => svg("line", { x1: x(s), x2: x(s), y1: height - 3, y2: height, class: "tick" })),
      svg("line", { x1: x(step), x2: x(step), y1: 0, y2: height, class: "now" }),
      doc.alerts.map((alert) => svg("path", {
        d: `M${x(alert.step) - 5},0h10l-5,9z`, class: "alert", "data-step": alert.step,
        onclick: () => app.goto(this.nearest(alert.step)),
      }, svg("title", {}, t("alertAt", alert.step, alert.message)))));
    this.curve.replaceChildren(picture);
    this.range.textContent = `${t("stat_min")} ${short(low)} · ${t("stat_max")} ${short(high)}`;
  }

  // The slider's stops are evenly spaced, whatever the steps: between two stops, by the steps.
  place(step, first, last) {
    const { steps } = doc;
    if (step <= first) return 0;
    if (step >= last) return 1;
    const after = steps.findIndex((s) => s >= step);
    const [a, b] = [steps[after - 1], steps[after]];
    return (after - 1 + (step - a) / (b - a)) / (steps.length - 1);
  }

  toggle() {
    if (this.timer) {
      clearInterval(this.timer);
      this.timer = null;
    } else {
      if (app.state.step === doc.steps.length - 1) app.goto(0);
      this.timer = setInterval(() => {
        if (app.state.step >= doc.steps.length - 1) this.toggle();
        else app.goto(app.state.step + 1);
      }, PLAY_EVERY);
    }
    this.relabel();
  }
}
