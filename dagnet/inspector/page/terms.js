// The lens on the page: a table of products and what they add up to.

const MOST_TERMS = 10;

function lensTable(found, isHeld) {
  const ranked = [...found.terms].sort((a, b) => Math.abs(b.product) - Math.abs(a.product) || a.k - b.k);
  const shownTerms = ranked.slice(0, MOST_TERMS).sort((a, b) => a.k - b.k);
  const rest = ranked.slice(MOST_TERMS);
  const body = shownTerms.map((term) => row(String(term.k), digits(term.a), digits(term.b), digits(term.product)));
  if (rest.length) {
    body.push(line(t("others", count(rest.length)), accurateSum(rest.map((term) => term.product)), "others"));
  }
  if (found.constant !== null) body.push(line(t("bias"), found.constant, "bias"));
  const difference = found.value - found.sum;
  const foot = [line(t("sum"), found.sum, "sum")];
  if (found.missing) foot.push(line(t("leftOut", count(found.missing)), difference, "left-out"));
  else if (found.shared) foot.push(line(t("elsewhere"), difference, "elsewhere"));
  foot.push(line(t("shown"), found.value, "value"));
  if (!found.missing && !found.shared) foot.push(line(t("difference"), difference, "difference"));
  const number = (value) => (value === undefined ? null : String(value));
  return el("div", { class: "lens-found", "data-sum": number(found.sum), "data-value": number(found.value), "data-missing": found.missing },
    el("p", { class: "formula" }, el("b", {}, found.formula), el("span", { class: "quiet" }, `  [${found.layer}]`),
      isHeld ? el("span", { class: "quiet" }, ` · ${t("pinned")}`) : null),
    el("div", { class: "sides" },
      el("table", { class: "terms" }, el("thead", {}, row(found.along, ...found.names, t("product"), "th")), el("tbody", {}, body)),
      el("table", { class: "terms totals" }, el("tbody", {}, foot))));
}

function row(k, a, b, product, tag = "td") {
  return el("tr", {}, [k, a, b, product].map((text) => el(tag, {}, text)));
}

function line(text, value, kind) {
  return el("tr", { class: kind }, el("td", { colspan: 3 }, text), el("td", {}, digits(value)));
}
