// A number for every node, as colours on the drawing; it follows the step. Magnitudes are on a
// logarithmic scale. Of several nodes, the extreme one has the most, or, where too little is as bad as
// too much, is the odd one out.

const OVERLAYS = {
  none: null,
  mean: { odd: true, of: (node, step) => stat(entryOf(node, "output", step), "mean") },
  std: { log: true, odd: true, of: (node, step) => stat(entryOf(node, "output", step), "std") },
  max: {
    log: true,
    of: (node, step) => {
      const entry = entryOf(node, "output", step);
      return Math.max(Math.abs(stat(entry, "min")), Math.abs(stat(entry, "max")));
    },
  },
  zeros: { of: (node, step) => stat(entryOf(node, "output", step), "zeros"), text: percent },
  grad_norm: { log: true, odd: true, of: (node, step) => stat(entryOf(node, "grad_output", step), "norm") },
  ratio: { log: true, odd: true, of: (node, step) => norms(node, "grad_params.", step) / norms(node, "params.", step) },
  seconds: { log: true, of: (node) => doc.nodes[node].seconds ?? NaN, text: seconds },
  bytes: { log: true, of: (node) => doc.nodes[node].bytes ?? NaN, text: bytes },
  flops: { log: true, of: (node) => doc.nodes[node].flops || NaN, text: count },
  parameters: { log: true, of: (node) => doc.nodes[node].parameters || NaN, text: count },
  alerts: { of: (node) => doc.alerts.filter((alert) => alert.node === node).length || NaN, text: count },
};

function norms(node, prefix, step) {
  const names = valueNames(node).filter((name) => name.startsWith(prefix));
  return names.length ? Math.hypot(...names.map((name) => stat(entryOf(node, name, step), "norm"))) : NaN;
}

function isBad(entry) {
  return stat(entry, "nan") > 0 || stat(entry, "inf") > 0;
}

function hasBad(node, step) {
  return isBad(entryOf(node, "output", step));
}

// The first value that is not finite, in the order of the run: forward, then backward. Or null.
function firstBad(step) {
  const names = Object.keys(doc.nodes);
  const phases = [[names, ["params", "output"]], [[...names].reverse(), ["grad_output", "grad_inputs", "grad_params"]]];
  for (const [order, groups] of phases) {
    for (const node of order) {
      const value = groups.flatMap((group) => valueNames(node).filter((name) => name.split(".")[0] === group))
        .find((name) => isBad(entryOf(node, name, step)));
      if (value) return [node, value];
    }
  }
  return null;
}

// The numbers of the boxes of a drawing: { id: { values, extreme, text } }, and their scale.
function measure(name, boxes, step) {
  const overlay = OVERLAYS[name];
  const text = overlay.text ?? short;
  const found = {};
  const all = [];
  for (const [id, names] of Object.entries(boxes)) {
    const values = names.map((node) => [node, overlay.of(node, step)]).filter(([, v]) => Number.isFinite(v));
    if (!values.length) continue;
    values.sort((a, b) => a[1] - b[1]);
    const numbers = values.map(([, v]) => v);
    const extreme = overlay.odd ? oddOf(values) : values.at(-1);
    found[id] = { value: extreme[1], text: boxText(values, extreme, text) };
    all.push(...numbers);
  }
  return { found, scale: scaleOfNumbers(overlay, all), text };
}

function scaleOfNumbers(overlay, numbers) {
  const counted = overlay.log ? numbers.filter((value) => value > 0) : numbers;
  if (!counted.length) return numbers.length ? scaleOf(0, 0) : null;
  const [low, high] = [Math.min(...counted), Math.max(...counted)];
  return overlay.log ? logarithmic(low, high) : scaleOf(low, high);
}

// Of sorted numbers by node.
function medianOf(values) {
  const half = (values.length - 1) / 2;
  return (values[Math.floor(half)][1] + values[Math.ceil(half)][1]) / 2;
}

// The one that is farthest from the median, in orders of magnitude.
function oddOf(values) {
  const middle = medianOf(values);
  const distance = (value) => {
    if (value > 0 && middle > 0) return Math.abs(Math.log(value) - Math.log(middle));
    return value === middle ? 0 : Infinity;
  };
  return values.reduce((odd, one) => (distance(one[1]) > distance(odd[1]) ? one : odd));
}

function boxText(values, extreme, text) {
  if (values.length === 1) return text(values[0][1]);
  return `${t("min")} ${text(values[0][1])} · ${t("median")} ${text(medianOf(values))} · ${t("most")} ` +
    `${text(values.at(-1)[1])} · ${t("worst", extreme[0])}`;
}
