// The overview: how much is done, what waits, and how fair it is.
import { h } from "./dom.js";
import { ask, callerPath, may, query } from "./api.js";
import { ago, brief, count, micros, product, rate, state, time } from "./format.js";
import { chart, ceiling, path } from "./chart.js";
import { busyCallers } from "./busy.js";
import { section, table, facts } from "./parts.js";
import { history, note, shares } from "./history.js";
import { submitForm } from "./submit.js";

const jobsShown = 10;

export const overview = {
  every: 1000,
  title: () => "Overview",
  async load(_, signal) {
    if (!may("look")) return {};
    const [fairness, { nodes }, callers, jobs] = await Promise.all([
      ask("fairness", { signal }), ask("nodes", { signal }), busyCallers(signal), ask("compute" + query({ limit: jobsShown }), { signal }),
    ]);
    note(fairness, nodes, callers);
    return { fairness, nodes, callers, jobs: jobs.jobs };
  },
  show: (data, route, act) => [
    h("h1", { class: "unseen" }, "Overview"),
    may("change") ? submitForm(act, route.query.get("n")) : null,
    ...(data && !data.fairness ? [] : everything(data)),
  ],
};

const everything = data => [tiles(data), h("div", { class: "pair" }, fairness(data), cpu()), h("div", { class: "pair" }, busiest(data), newest(data))];

const tile = (name, value, detail, extra) => h("div", { class: "tile", "data-name": name }, h("span", { class: "name" }, name), h("strong", null, value), h("span", { class: "detail" }, detail), extra);

function tiles(data) {
  if (!data) return h("div", { class: "tiles live" }, ["completed a second", "jobs that wait", "oldest of them", "workers busy"].map(name => tile(name, "-", "not known yet")));
  const { fairness, nodes, callers } = data, now = history().at(-1);
  const ready = callers.filter(c => !c.paused), all = some => some.reduce((sum, c) => sum + c.queued, 0);
  const queued = all(ready), held = all(callers) - queued;
  const oldest = ready.filter(c => c.oldest_waiting_seconds > 0).sort((a, b) => b.oldest_waiting_seconds - a.oldest_waiting_seconds)[0];
  const workers = nodes.flatMap(n => n.workers), busy = workers.filter(w => w.caller_id).length;
  return h("div", { class: "tiles live" },
    tile("completed a second", rate(now.jobs), rate(now.turns) + " turns a second", spark("jobs")),
    tile("jobs that wait", count(queued) + (fairness.active > callers.length ? " or more" : ""), "of " + count(fairness.active) + (fairness.active === 1 ? " caller" : " callers") + " with work" + (held ? "; " + count(held) + " paused" : "")),
    tile("oldest of them", oldest ? time(oldest.oldest_waiting_seconds) : "-", oldest ? callerLink(oldest.caller_id) : "none waits"),
    tile("workers busy", busy + " of " + workers.length, nodes.filter(n => n.state === "alive").length + " of " + nodes.length + (nodes.length === 1 ? " node alive" : " nodes alive")));
}

const callerLink = name => h("a", { href: "#/" + callerPath(name), class: "mono" }, name);

// shown is the time that charts show: what was seen, and at least a minute.
function shown() {
  const samples = history(), to = samples.length ? samples.at(-1).t : Date.now();
  return { from: Math.min(samples.length ? samples[0].t : to, to - 60000), to };
}

function spark(name) {
  const points = history().map(s => [s.t, s[name]]), { from, to } = shown(), top = Math.max(1e-9, ...points.map(p => p[1] || 0));
  return h("svg", { class: "spark", viewBox: "0 0 100 20", preserveAspectRatio: "none", "aria-hidden": "true" },
    h("path", { d: path(points, t => (100 * (t - from) / (to - from)).toFixed(1), v => (19 - 18 * v / top).toFixed(1)) }));
}

function fairness(data) {
  const title = "Fairness: lag between callers", f = data && data.fairness;
  if (!f) return section(title, { class: "live" }, h("p", { class: "empty" }, "not known yet"));
  const bound = f.bound_us / 1e6, lag = f.lag_us / 1e6, top = Math.max(bound * 1.15, f.max_lag_us / 1e6) || 1;
  return section(title, { class: "live", id: "fairness" },
    chart({
      label: "lag between callers: now " + time(lag) + ", largest " + micros(f.max_lag_us) + ", bound " + time(bound), ...shown(), top, unit: time,
      lines: [{ cls: lag > bound ? "bad" : "good", area: true, points: history().map(s => [s.t, s.lag]) }], rule: { at: bound, text: "bound " + time(bound) },
    }),
    facts([["lag now", time(lag)], ["largest lag", micros(f.max_lag_us)], ["bound", time(bound)], ["violations", count(f.violations)], ["Jain index", Number(f.jain || 0).toFixed(3)],
      ["quantum", micros(f.quantum_us)], ["callers with work", count(f.active)], ["turns handed out", count(f.handed_out)]]));
}

// cpu shows the CPU that the busiest callers got since the page looks, each next to the
// share of it that its weight gives.
function cpu() {
  const title = "CPU of callers against their share", all = shares().sort((a, b) => a.name < b.name ? -1 : 1);
  if (!all.length) return section(title, { class: "live", id: "shares" }, h("p", { class: "empty" }, "Shows the callers that have work at the same time, from when this page is open: at least two."));
  const samples = history(), top = ceiling(Math.max(...all.map(c => Math.max(c.got, c.share))));
  const points = (name, i) => samples.filter(s => s.cpu[name]).map(s => [s.t, s.cpu[name][i]]);
  return section(title, { class: "live", id: "shares" },
    chart({
      label: "CPU since this page is open: " + all.map(c => c.name + " " + time(c.got) + ", its share is " + time(c.share)).join("; "), ...shown(), top, unit: time,
      lines: all.flatMap((c, i) => [{ cls: "share c" + i, points: points(c.name, 1) }, { cls: "c" + i, points: points(c.name, 0) }]),
    }),
    table(title, [{ text: "caller", cls: "head" }, { text: "weight", cls: "n" }, { text: "CPU", cls: "n" }, { text: "share", cls: "n" }, { text: "difference", cls: "n" }], all.map((c, i) => ({
      key: c.name, cells: [[h("i", { class: "swatch c" + i }), callerLink(c.name)], count(c.weight), time(c.got), time(c.share), (c.got < c.share ? "−" : "+") + time(Math.abs(c.got - c.share))],
    }))));
}

const busiest = data => section(["Busy callers", h("a", { href: "#/callers" }, "all")], { class: "live" }, busyTable(data && data.callers.slice(0, jobsShown)));

// busyTable describes a table of callers that have work.
const busyTable = callers => table("Busy callers",
  [{ text: "caller", cls: "head" }, { text: "queued", cls: "n" }, { text: "running", cls: "n" }, { text: "completed", cls: "n" }, { text: "oldest waits", cls: "n" }],
  callers && callers.map(c => ({ key: c.caller_id, cells: [[callerLink(c.caller_id), " ", c.paused ? state("paused") : null], count(c.queued), count(c.running), count(c.completed), c.oldest_waiting_seconds > 0 ? time(c.oldest_waiting_seconds) : "-"] })),
  "No caller has work now.");

const newest = data => section(["Newest jobs", h("a", { href: "#/jobs" }, "all")], { class: "live" }, table("Newest jobs",
  [{ text: "status" }, { text: "number" }, { text: "result", cls: "line-only" }, { text: "submitted", cls: "n" }],
  data && data.jobs.map(j => ({ key: j.request_id, cells: [state(j.status), h("a", { href: "#/jobs/" + j.request_id }, brief(j.number, 16)), outcome(j), ago(j.submitted_at)] })),
  "No jobs yet: factor a number above."));

// outcome says in a few words what became of a job.
export function outcome(j) {
  if (j.status === "completed") return Object.keys(j.result || {}).length ? product(j.result, true) : "no prime factors";
  if (j.status === "running" && j.progress) return h("span", { class: "soft" }, j.progress.phase + " " + Math.floor(j.progress.percent || 0) + " %");
  return h("span", { class: "soft" }, j.error || "");
}
