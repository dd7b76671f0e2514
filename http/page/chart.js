// Charts of values over time.
import { h } from "./dom.js";

const width = 600, height = 150; // units of the drawing, which is stretched to its place

// chart draws lines [{ cls, points: [[time, value], ...] }] from a time to another one, up
// to top. rule is { at, text }, a limit. A hole in time breaks a line.
export function chart({ label, from, to, top, lines, rule, unit }) {
  const x = t => (width * (t - from) / Math.max(1, to - from)).toFixed(1);
  const y = v => (height - height * Math.min(1, v / (top || 1))).toFixed(1);
  return h("div", { class: "chart" },
    h("div", { class: "plot" },
      h("svg", { viewBox: "0 0 " + width + " " + height, preserveAspectRatio: "none", role: "img", "aria-label": label },
        [0.25, 0.5, 0.75].map(share => h("line", { class: "grid", x1: 0, x2: width, y1: height * share, y2: height * share })),
        rule && h("line", { class: "rule", x1: 0, x2: width, y1: y(rule.at), y2: y(rule.at) }),
        lines.map(line => [
          line.area && h("path", { class: "area " + line.cls, d: area(line.points, x, y) }),
          h("path", { class: "line " + line.cls, d: path(line.points, x, y) }),
        ])),
      h("span", { class: "top" }, unit(top)),
      rule && h("span", { class: "ruled", style: { bottom: Math.min(100, 100 * rule.at / top) + "%" } }, rule.text)),
    h("p", { class: "ends" }, h("span", null, span(to - from) + " ago"), h("span", null, "now")));
}

const span = ms => ms < 100000 ? Math.round(ms / 1000) + " s" : Math.round(ms / 60000) + " min";

const hole = 10000; // milliseconds without a sample

// runs are the parts of a line without holes.
function runs(points) {
  const all = [];
  let last = -Infinity;
  for (const p of points) {
    if (p[1] === null || p[1] === undefined) { last = -Infinity; continue; }
    if (p[0] - last > hole) all.push([]);
    all[all.length - 1].push(p);
    last = p[0];
  }
  return all;
}

// path draws a line, with a break where a sample is missing.
export const path = (points, x, y) => runs(points).map(run => "M" + run.map(([t, v]) => x(t) + " " + y(v)).join("L")).join("");

const area = (points, x, y) => runs(points).map(run => "M" + x(run[0][0]) + " " + height + "L" + run.map(([t, v]) => x(t) + " " + y(v)).join("L") + "L" + x(run[run.length - 1][0]) + " " + height + "Z").join("");

// ceiling is the next round number that is not less: 1, 2 or 5 and zeros.
export function ceiling(v) {
  if (!(v > 0)) return 1;
  const ten = 10 ** Math.floor(Math.log10(v));
  return [1, 2, 5, 10].map(n => n * ten).find(n => n >= v * 0.999);
}
