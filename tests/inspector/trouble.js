// Texts that are cut off or lie over one another, as a list of sentences.
const GROUPS = ".panel-body, .lens, .graph, .top, .timeline";
const PLAIN = "script, style, option, title, datalist, noscript";

function isCut(e) {
  const style = getComputedStyle(e);
  if (!e.getClientRects().length || style.display === "inline" || style.overflowX === "visible") return false;
  return e.scrollWidth > e.clientWidth + 1;
}

// The boxes of all texts that can be seen, line by line, with the part of the page that they are in.
function boxesOfTexts() {
  const boxes = [];
  for (const e of document.querySelectorAll("body *")) {
    if (e.closest(PLAIN) || getComputedStyle(e).visibility !== "visible") continue;
    for (const node of e.childNodes) {
      if (node.nodeType !== Node.TEXT_NODE || !node.data.trim()) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const box of range.getClientRects()) {
        if (box.width > 1) boxes.push({ box, text: node.data.trim().slice(0, 30), part: e.closest(GROUPS) });
      }
    }
  }
  return boxes;
}

function overlap(a, b) {
  const across = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
  const down = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
  return a.part === b.part && across > 2 && down > 4;
}

const found = [...document.querySelectorAll("button, select, h1, h2, h3, h4, p, dt, dd, td, th, label")]
  .filter(isCut).map((e) => `cut: ${e.tagName} ${e.textContent.slice(0, 40)}`);
const boxes = boxesOfTexts();
boxes.forEach((a, i) => boxes.slice(i + 1).forEach((b) => {
  if (overlap(a, b)) found.push(`over one another: ${a.text} | ${b.text}`);
}));
if (document.documentElement.scrollWidth > innerWidth + 1) found.push("the page is wider than the window");
return found;
