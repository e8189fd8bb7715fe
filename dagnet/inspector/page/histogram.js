// How the values of an array are spread. The counts are of all values, whatever sample is shown.

const HISTOGRAM = { width: 190, height: 84, floor: 68 };

function histogram(entry) {
  const { width, height, floor } = HISTOGRAM;
  const [low, high] = [stat(entry, "min"), stat(entry, "max")];
  const counts = entry.bins;
  if (!counts.length) {
    return el("p", { class: "quiet" }, Number.isFinite(low) ? t("constant", digits(low)) : t("notFinite"));
  }
  const most = Math.max(...counts);
  const scale = scaleOf(low, high);
  const picture = svg("svg", {
    viewBox: `0 0 ${width} ${height}`, class: "histogram", role: "img",
    "aria-label": `${short(low)} … ${short(high)}`,
  });
  const step = width / counts.length;
  counts.forEach((number, i) => {
    if (!number) return;
    const tall = Math.max(1.5, (floor - 4) * (number / most));
    const from = low + ((high - low) * i) / counts.length;
    const to = low + ((high - low) * (i + 1)) / counts.length;
    const bar = svg("rect", { x: i * step + 0.5, y: floor - tall, width: step - 1, height: tall },
      svg("title", {}, `${short(from)} … ${short(to)}: ${count(number)}`));
    bar.style.fill = css(colourOf((from + to) / 2, scale));
    picture.append(bar);
  });
  picture.append(svg("line", { x1: 0, x2: width, y1: floor, y2: floor, class: "axis" }));
  if (low < 0 && high > 0) {
    const x = (-low / (high - low)) * width;
    picture.append(svg("line", { x1: x, x2: x, y1: 2, y2: floor, class: "zero" }));
  }
  picture.append(
    svg("text", { x: 0, y: height - 4 }, short(low)),
    svg("text", { x: width, y: height - 4, "text-anchor": "end" }, short(high)),
  );
  return picture;
}
