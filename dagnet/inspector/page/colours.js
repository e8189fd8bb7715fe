// Colours for numbers. Both maps keep their order in grey, and for colour-blind eyes.

const MAPS = {
  light: {
    // Below zero dark blue, above it a lighter orange: they differ in grey, too.
    diverging: ["#08306b", "#2f79b5", "#a6cee8", "#f7f7f5", "#fdc88f", "#f08a24", "#b85000"],
    sequential: ["#fdfbf3", "#ecdfa6", "#c5b76f", "#8f8d76", "#5a6273", "#27406d", "#00204d"],
  },
  dark: {
    diverging: ["#a9dcff", "#4fa5e0", "#1f4f78", "#17191d", "#75400f", "#dc7d1e", "#ffd79a"],
    sequential: ["#121a2b", "#1d3a66", "#4b5a73", "#7d7f78", "#b0a570", "#dccb5d", "#fff08a"],
  },
};

const BAD = { nan: [214, 0, 110], inf: [0, 158, 115] };

function channels(colour) {
  return [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
}

const STEPS = 256;

function table(anchors) {
  const parsed = anchors.map(channels);
  return Array.from({ length: STEPS }, (_, i) => {
    const place = (i / (STEPS - 1)) * (parsed.length - 1);
    const low = Math.min(Math.floor(place), parsed.length - 2);
    return parsed[low].map((c, k) => Math.round(c + (parsed[low + 1][k] - c) * (place - low)));
  });
}

const tables = {};
for (const [theme, maps] of Object.entries(MAPS)) {
  tables[theme] = { diverging: table(maps.diverging), sequential: table(maps.sequential) };
}

function theme() {
  return document.documentElement.dataset.theme;
}

// From values to places between 0 and 1: zero is in the middle where there are negative values.
function scaleOf(low, high) {
  if (low < 0) {
    const size = Math.max(-low, high) || 1;
    return { kind: "diverging", low: -size, high: size, place: (v) => 0.5 + v / size / 2 };
  }
  const start = high > 0 && low / high > 0.5 ? low : 0;
  const span = high - start || 1;
  return { kind: "sequential", low: start, high, place: (v) => (v - start) / span };
}

// For magnitudes that differ by orders.
function logarithmic(low, high) {
  const span = Math.log(high / low) || 1;
  return { kind: "sequential", low, high, place: (v) => (v > 0 ? Math.log(v / low) / span : 0) };
}

function colourOf(value, scale) {
  if (Number.isNaN(value)) return BAD.nan;
  if (!Number.isFinite(value)) return BAD.inf;
  const place = Math.min(1, Math.max(0, scale.place(value)));
  return tables[theme()][scale.kind][Math.round(place * (STEPS - 1))];
}

// The same as a function that is fast: from values to the four bytes of a pixel, in one number.
function painter(scale) {
  const packed = (rgb) => (255 << 24) | (rgb[2] << 16) | (rgb[1] << 8) | rgb[0];
  const colours = Uint32Array.from(tables[theme()][scale.kind], packed);
  const [nan, inf] = [packed(BAD.nan), packed(BAD.inf)];
  const start = scale.place(0);
  const slope = (STEPS - 1) / (scale.high - scale.low || 1);
  return (value) => {
    const place = start * (STEPS - 1) + value * slope;
    if (place >= 0 && place < STEPS - 0.5) return colours[(place + 0.5) | 0];
    if (Number.isNaN(value)) return nan;
    return Number.isFinite(value) ? colours[place < 0 ? 0 : STEPS - 1] : inf;
  };
}

const css = (rgb) => `rgb(${rgb.join(",")})`;

// Ink that can be read on a colour.
function inkOn([r, g, b]) {
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 140 ? "#111" : "#fff";
}
