// Numbers as texts.

// Seven digits: what is shown equals the array's value to six.
function digits(value, count = 7) {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "Inf" : "−Inf";
  if (value === 0) return "0";
  const size = Math.abs(value);
  let text = size >= 1e-4 && size < 1e7 ? value.toPrecision(count) : value.toExponential(count - 1);
  if (text.includes(".")) text = text.replace(/\.?0+(?=e|$)/, "");
  return text.replace(/^-/, "−");
}

const short = (value) => digits(value, 4);

// All digits that a number has, as Python's repr shows them.
function exact(value) {
  return Number.isFinite(value) ? String(value).replace(/^-/, "−") : digits(value);
}

const count = (value) => value.toLocaleString("en-US");

function scaled(value, base, units) {
  let unit = 0;
  while (Math.abs(value) >= base && unit < units.length - 1) {
    value /= base;
    unit += 1;
  }
  return `${digits(value, 3)} ${units[unit]}`;
}

const seconds = (value) => scaled(value * 1e9, 1000, ["ns", "µs", "ms", "s"]);
const bytes = (value) => scaled(value, 1024, ["B", "KiB", "MiB", "GiB"]);
const percent = (value) => `${digits(100 * value, 3)}%`;
const shapeText = (shape) => (shape.length ? `(${shape.join(", ")}${shape.length === 1 ? "," : ""})` : "()");

// The sum of numbers, with the rounding errors of the additions added up as well (Neumaier).
function accurateSum(values) {
  let sum = 0;
  let lost = 0;
  for (const value of values) {
    const next = sum + value;
    lost += Math.abs(sum) >= Math.abs(value) ? sum - next + value : value - next + sum;
    sum = next;
  }
  return sum + lost;
}
