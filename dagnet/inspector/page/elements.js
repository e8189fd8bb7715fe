// Making elements. Whatever comes from data becomes text, never markup.

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}

function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

// A letter with the number of its layer above it: Z with [2].
function letter([name, layer]) {
  return el("span", { class: "letter" }, el("i", {}, name), el("sup", {}, `[${layer}]`));
}

function nodeLink(name) {
  return el("button", { class: "chip", type: "button", onclick: () => app.select(name) }, name);
}
