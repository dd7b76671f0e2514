// One job: what is known of its number, how far it is, and what it went through.
import { h } from "./dom.js";
import { ask, callerPath, cancelJob, ended, events, jobPath, may, retryJob } from "./api.js";
import { age, brief, count, formula, micros, moment, primesOf, product, proofOf, state, time } from "./format.js";
import { bar, button, copy, facts, section, table } from "./parts.js";
import { remains, words } from "./submit.js";

let phases = []; // that the page has seen: { name, begun }

export const job = {
  every: 0, // the node tells what happens
  title: route => "Job " + route.id,
  enter() { phases = []; },
  async load(route, signal, act) {
    const j = await ask(jobPath(route.id), { signal });
    if (!ended(j)) follow(j, signal, act);
    else if (j.callback && j.callback.state === "pending") later(signal, act, 3000); // no event tells of a delivery
    return see(j);
  },
  show: (j, route, act) => j ? [
    h("h1", null, "Job ", h("span", { class: "mono" }, brief(j.number)), state(j.status)),
    h("p", { class: "soft" }, "of ", h("a", { href: "#/" + callerPath(j.caller_id), class: "mono" }, j.caller_id), ", ", h("span", { class: "mono" }, j.request_id)),
    answer(j, act), progress(j), life(j), proofs(j), section("Facts", { class: "live" }, facts(list(j))),
  ] : [h("h1", null, "Job"), h("p", { class: "empty" }, "asking the node for " + route.id)],
};

// see notes which phases the job has passed.
function see(j) {
  const name = j.status === "running" && j.progress ? phaseOf(j.progress) : "";
  if (name && (!phases.length || phases.at(-1).name !== name)) phases.push({ name, begun: Date.now() });
  return j;
}

// phaseOf leaves out what changes while a phase lasts: "sieve, 12 of 345 relations".
const phaseOf = p => p.phase.split(",")[0];

// follow shows what the node tells of a job until it has ended.
async function follow(j, signal, act) {
  let last = j;
  try { await events(jobPath(j.request_id) + "/events", signal, (kind, data) => { if (data.request_id) act.set(see(last = data)); }); } catch { /* asked again below */ }
  if (!ended(last) || last.callback) later(signal, act, 1000);
}

const later = (signal, act, ms) => setTimeout(() => { if (!signal.aborted) act.load(); }, ms);

function answer(j, act) {
  const done = j.status === "completed";
  return section(done ? "Result" : "Number", { class: "live" },
    h("p", { class: "equation" }, done ? [j.number, " = ", primesOf(j.result).length ? product(j.result) : "1"] : j.number),
    h("p", { class: j.status === "failed" ? "refused" : "soft" }, count(j.number.length) + (j.number.length === 1 ? " digit, " : " digits, "), j.status === "running" ? "running" : words(j)),
    j.found ? h("p", null, "Found before it ended: ", product(j.found)) : null,
    h("div", { class: "buttons" },
      button("copy-text", "Copy as text", act, null, async () => { await copy(text(j)); return "The text is on the clipboard."; }),
      button("copy-json", "Copy as JSON", act, null, async () => { await copy(JSON.stringify(j, null, 2)); return "The JSON is on the clipboard."; }),
      ended(j) || !may("change") ? null : button("cancel", "Cancel this job", act, { class: "danger" }, async () => { await cancelJob(j.request_id); act.load(); return "The job is cancelled."; }),
      j.status === "failed" && may("change") ? button("retry", "Try again", act, null, async () => { await retryJob(j.request_id); phases = []; act.load(); return "The job is at the end of its caller's queue."; }) : null));
}

// text writes a job for people: the line that fairfactor factor prints, or how it does.
const text = j => j.status === "completed" ? j.number + " = " + formula(j.result)
  : j.number + ": " + j.status + (j.error ? ", " + j.error : "") + (j.found ? "; found " + formula(j.found) : "");

function progress(j) {
  const p = j.status === "running" ? j.progress : null;
  if (!p) return null;
  const share = (p.percent || 0) / 100, left = remains(p) || "time left not known yet";
  return section("Progress", { class: "live", id: "progress" },
    h("p", { class: "scale" }, h("span", null, h("strong", null, p.phase), " " + Math.floor(p.percent || 0) + " %"), h("span", null, left)),
    bar("share of the phase " + p.phase, share, p.phase + " " + Math.floor(p.percent || 0) + " %", "run"),
    h("ol", { class: "phases", "aria-label": "Phases seen" }, phases.map((s, i) => h("li", { class: i === phases.length - 1 ? "now" : "" }, s.name,
      h("small", null, " " + time(((i + 1 < phases.length ? phases[i + 1].begun : Date.now()) - s.begun) / 1000))))),
    primesOf(p.found).length ? h("p", null, "Found so far: ", product(p.found)) : null,
    (p.remaining || []).length ? h("p", null, "Still composite: ", p.remaining.map((n, i) => [i ? ", " : "", brief(n, 48)])) : null);
}

// life is the way of a job: accepted and on disk, its turns, its end.
function life(j) {
  const after = (from, to) => from && Date.parse(to) > Date.parse(from) ? "after " + time(Math.max(0, Date.parse(to) - Date.parse(from)) / 1000) : "";
  const joined = (...parts) => parts.filter(Boolean).join(", ");
  const end = {
    completed: ["Verified", "its primes multiply to the number"], failed: ["Failed", j.error || ""], cancelled: ["Cancelled", ""],
  }[j.status] || ["Verified", "not yet"];
  const steps = [
    { name: "Accepted", at: j.submitted_at, text: "by the node" },
    { name: "Durable", at: j.submitted_at, text: "on disk before the answer 202" },
    { name: "First turn", at: j.started_at, text: j.turn ? joined("place " + count(j.turn), after(j.submitted_at, j.started_at)) : j.known ? "none was needed: its factors were known" : ended(j) ? "never came" : "waits for " + time(age(j.submitted_at)) },
    { name: "Turns", at: j.started_at, text: j.started_at ? joined(j.cpu_us ? micros(j.cpu_us) + " of CPU" : "under way", j.attempts > 1 && "begun " + count(j.attempts) + " times") : "", now: j.status === "running" },
    { name: end[0], at: j.finished_at, text: joined(end[1], after(j.started_at, j.finished_at)), bad: j.status === "failed" },
  ];
  if (j.callback) steps.push(delivery(j.callback));
  return section("Life", { class: "live" }, h("ol", { class: "life" }, steps.map(s => h("li", { class: s.bad ? "bad" : s.now ? "now" : s.at ? "done" : "open" },
    h("strong", null, s.name), h("span", null, s.text), typeof s.at === "string" ? h("time", { datetime: s.at }, moment(s.at)) : null))));
}

// delivery is the last step of a job whose submitter wants to be told.
function delivery(c) {
  const tries = c.attempts ? (c.attempts === 1 ? "1 attempt" : count(c.attempts) + " attempts") : "", to = h("span", { class: "mono", title: c.url }, new URL(c.url).host);
  const why = c.last_error ? ": " + c.last_error : "";
  switch (c.state) {
    case "delivered": return { name: "Delivered", at: true, text: ["to ", to, c.attempts > 1 ? " at the " + nth(c.attempts) + " attempt" : ""] };
    case "failed": return { name: "Not delivered", at: true, bad: true, text: ["given up: ", to, " did not take it, ", tries, why] };
    case "pending": return { name: "Delivery", now: true, at: true, text: ["to ", to, c.attempts ? [", ", tries, why, c.next ? "; the next one at " + moment(c.next).slice(11) : ""] : " is under way"] };
  }
  return { name: "Delivered", text: ["to ", to, " when the job has ended"] };
}

const nth = n => count(n) + (n % 100 > 10 && n % 100 < 14 ? "th" : ["th", "st", "nd", "rd"][n % 10] || "th");

function proofs(j) {
  const primes = primesOf(j.result), probable = new Set(j.probable || []), methods = j.proofs || {};
  if (!primes.length) return null;
  return section("Primes", { class: "live" }, table("Primes", [{ text: "prime", cls: "flow" }, { text: "exponent", cls: "n" }, { text: "digits", cls: "n" }, { text: "proof" }],
    primes.map(([p, e]) => ({ key: p, cells: [h("span", { class: "mono" }, p), e, p.length, proofOf(p, probable.has(p) ? "probable" : methods[p])] }))));
}

const list = j => [
  ["begun", count(j.attempts) + (j.attempts === 1 ? " time" : " times")], ["place of the first turn", j.turn ? count(j.turn) : "-"], ["CPU", micros(j.cpu_us)], ["methods", j.methods && j.methods.length ? j.methods.join(", ") : null],
  ["known from before", j.known ? "yes" : null], ["deadline", j.deadline ? moment(j.deadline) : null],
];
