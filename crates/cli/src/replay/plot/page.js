// A line that follows the pointer and reads the drawing back: the drawing is the data, so nothing is stored twice.
"use strict";
const LEFT = 62, RIGHT = 1192, VALUE = [8, 178], SCORE = [190, 236], ALERT = [248, 294];

function places(svg, name) {
  const found = new Map();
  let x = 0;
  for (const [, letter, a, b] of svg.querySelector(name).getAttribute("d").matchAll(/([MLV])([\d.-]+)(?: ([\d.-]+))?/g)) {
    if (letter !== "V") x = +a;
    const ys = found.get(x) || [];
    ys.push(letter === "V" ? +a : +b);
    found.set(x, ys);
  }
  return found;
}

for (const svg of document.querySelectorAll("svg[data-low]")) {
  let read = null;
  const cross = document.createElementNS("http://www.w3.org/2000/svg", "path");
  cross.setAttribute("class", "cross");
  const said = document.createElement("div");
  said.className = "said";
  svg.after(said);
  const share = (y, lane) => (lane[1] - y) / (lane[1] - lane[0]);
  svg.addEventListener("pointermove", (e) => {
    read ||= { value: places(svg, ".value"), score: places(svg, ".score"), alert: places(svg, ".alert") };
    read.xs ||= [...read.value.keys()];
    const box = svg.getBoundingClientRect();
    const at = (e.clientX - box.left) / box.width * 1200;
    const x = read.xs.reduce((best, x) => Math.abs(x - at) < Math.abs(best - at) ? x : best, Infinity);
    if (!isFinite(x)) return;
    const low = +svg.dataset.low, high = +svg.dataset.high;
    const number = (y) => +(low + share(y, VALUE) * (high - low)).toPrecision(4);
    const ys = read.value.get(x), top = number(Math.min(...ys)), bottom = number(Math.max(...ys));
    const nines = 6 * Math.max(0, ...(read.score.get(x) || []).map((y) => share(y, SCORE)));
    const alert = Math.max(0, ...(read.alert.get(x) || []).map((y) => share(y, ALERT)));
    // A place is good to a hundredth of a unit, so the time is told no finer than that.
    const span = svg.dataset.to - svg.dataset.from, unit = span > 864e8 ? 6e7 : span > 36e8 ? 1e6 : 1e3;
    const us = Math.round((+svg.dataset.from + (x - LEFT) / (RIGHT - LEFT) * span) / unit) * unit;
    const time = new Date(us / 1000).toISOString().replace("T", " ").replace(/(:00)?(\.000)?Z$/, "");
    said.textContent = `${time}   ${top === bottom ? top : bottom + " to " + top}   score ` +
      `${(1 - 10 ** -nines).toPrecision(Math.max(2, Math.ceil(nines) + 1))}   alert ${alert.toFixed(2)}`;
    said.style.display = "block";
    // To the side of the line that has more room; places are counted from the card around the drawing.
    const card = svg.parentNode.getBoundingClientRect(), line = box.left + x / 1200 * box.width;
    said.style.left = at > 600 ? "auto" : `${line - card.left + 10}px`;
    said.style.right = at > 600 ? `${card.right - line + 10}px` : "auto";
    said.style.top = `${box.top - card.top + 6}px`;
    cross.setAttribute("d", `M${x} ${VALUE[0]}V${ALERT[1]}`);
    svg.append(cross);
  });
  svg.addEventListener("pointerleave", () => { said.style.display = "none"; cross.remove(); });
}
