// A line that follows the pointer over a forecast, and reads the drawing back.
"use strict";
for (const svg of document.querySelectorAll("svg[data-now]")) {
  const numbers = (name) => {
    const path = svg.querySelector(name)?.getAttribute("d") || "";
    return [...path.matchAll(/([\d.-]+) ([\d.-]+)/g)].map(([, x, y]) => [+x, +y]);
  };
  const past = numbers(".past"), middle = numbers(".median"), around = numbers(".fan");
  const above = around.slice(0, around.length / 2), below = around.slice(around.length / 2).reverse();
  const { from, to, now, zero, full, left, right } = Object.fromEntries(Object.entries(svg.dataset).map(([k, v]) => [k, +v]));
  const share = (y) => `${((zero - y) / (zero - full) * 100).toFixed(0)} %`;
  const at = (points, x) => {
    const i = points.findIndex((p) => p[0] >= x);
    if (i <= 0) return i < 0 || points[0][0] > x + 1 ? null : points[0][1];
    const [a, b] = [points[i - 1], points[i]];
    return a[1] + (b[1] - a[1]) * (x - a[0]) / (b[0] - a[0]);
  };
  const cross = document.createElementNS("http://www.w3.org/2000/svg", "path");
  cross.setAttribute("class", "cross");
  const said = document.createElement("div");
  said.className = "said";
  svg.after(said);
  svg.addEventListener("pointermove", (e) => {
    const box = svg.getBoundingClientRect(), card = svg.parentNode.getBoundingClientRect();
    const x = (e.clientX - box.left) / box.width * 1200;
    if (x < left || x > right) return;
    const us = from + (x - left) / (right - left) * (to - from);
    const time = new Date(us / 1000).toISOString().slice(11, 19);
    const y = at(x <= now ? past : middle, x);
    const text = y === null ? "" : x <= now ? share(y) : `${share(y)} (${share(at(below, x))} to ${share(at(above, x))})`;
    said.textContent = `${time}   ${text} of the limit`;
    said.style.display = y === null ? "none" : "block";
    const line = box.left + x / 1200 * box.width;
    said.style.left = x > 600 ? "auto" : `${line - card.left + 10}px`;
    said.style.right = x > 600 ? `${card.right - line + 10}px` : "auto";
    said.style.top = `${box.top - card.top + 30}px`;
    cross.setAttribute("d", `M${x.toFixed(1)} 24V${zero}`);
    svg.append(cross);
  });
  svg.addEventListener("pointerleave", () => { said.style.display = "none"; cross.remove(); });
}
