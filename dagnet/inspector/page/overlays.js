// A number for every node, as colours on the drawing; it follows the step. Magnitudes are on a
// logarithmic scale.

const OVERLAYS = {
  none: null,
  mean: { of: (node, step) => stat(entryOf(node, "output", step), "mean") },
  std: { log: true, of: (node, step) => stat(entryOf(node, "output", step), "std") },
  max: {
    log: true,
    of: (node, step) => {
      const entry = entryOf(node, "output", step);
      return Math.max(Math.abs(stat(entry, "min")), Math.abs(stat(entry, "max")));
    },
  },
  zeros: { of: (node, step) => stat(entryOf(node, "output", step), "zeros"), text: percent },
  grad_norm: { log: true, of: (node, step) => stat(entryOf(node, "grad_output", step), "norm") },
  ratio: { log: true, of: (node, step) => norms(node, "grad_params.", step) / norms(node, "params.", step) },
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

function hasBad(node, step) {
  const entry = entryOf(node, "output", step);
  return stat(entry, "nan") > 0 || stat(entry, "inf") > 0;
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
    const extreme = Math.abs(numbers[0]) > Math.abs(numbers.at(-1)) ? values[0] : values.at(-1);
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

function boxText(values, extreme, text) {
  if (values.length === 1) return text(values[0][1]);
  const middle = values[Math.floor((values.length - 1) / 2)][1];
  return `${t("min")} ${text(values[0][1])} · ${t("median")} ${text(middle)} · ${t("most")} ` +
    `${text(values.at(-1)[1])} · ${t("worst", extreme[0])}`;
}
