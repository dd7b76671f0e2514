// What the overview has seen: a sample a second for ten minutes, kept over a reload.
import { read, write } from "./kept.js";

const most = 600; // samples

let samples = [], last = null, accounts = {};
try { ({ samples, last, accounts } = JSON.parse(read("history")) || { samples, last, accounts }); } catch { /* begin again */ }
addEventListener("pagehide", () => write("history", JSON.stringify({ samples, last, accounts })));

export const history = () => samples;

// note adds what the node says now.
export function note(fairness, nodes, callers) {
  const now = { t: Date.now(), handed: fairness.handed_out, done: {}, callers: {} };
  for (const n of nodes) if (n.workers.length) now.done[n.id] = n.completed; // others do not answer
  for (const c of callers) now.callers[c.caller_id] = { cpu: c.cpu_seconds, weight: c.weight, group: c.group || "", busy: !c.paused && c.queued + c.running > 0 };
  const before = last && now.t - last.t < 10000 ? last : null;
  if (before && now.t - before.t < 200) return;
  const seconds = before ? (now.t - before.t) / 1000 : 0;
  share(before, now);
  samples.push({
    t: now.t, lag: fairness.lag_us / 1e6, bound: fairness.bound_us / 1e6,
    turns: before ? grown(before.handed, now.handed) / seconds : null,
    jobs: before ? completed(before.done, now.done) / seconds : null,
    cpu: Object.fromEntries(Object.entries(accounts).map(([name, a]) => [name, [a.got, a.share]])),
  });
  samples.splice(0, samples.length - most);
  last = now;
}

const grown = (a, b) => Math.max(0, b - a); // a counter that began again has not grown

const completed = (a, b) => Object.keys(b).reduce((sum, id) => sum + (id in a ? grown(a[id], b[id]) : 0), 0);

const tracked = 6; // callers

// share adds to the accounts what callers got between two samples, and what their share
// of it was. Only callers that had work at both ends and stand in the same line are
// compared: those of one group, or those without a group.
function share(before, now) {
  if (!before) return;
  const lines = {};
  for (const [name, c] of Object.entries(now.callers)) {
    const was = before.callers[name];
    if (c.busy && was && was.busy && was.cpu <= c.cpu) (lines[c.group] ||= []).push({ name, weight: c.weight, got: c.cpu - was.cpu });
  }
  for (const line of Object.values(lines).filter(line => line.length > 1)) {
    const all = line.reduce((sum, c) => sum + c.got, 0), weights = line.reduce((sum, c) => sum + c.weight, 0);
    for (const c of line) {
      if (!accounts[c.name] && Object.keys(accounts).length >= tracked && !dropIdle(now)) continue;
      const a = accounts[c.name] ||= { got: 0, share: 0 };
      a.got += c.got;
      a.share += all * c.weight / weights;
      a.weight = c.weight;
    }
  }
}

// dropIdle forgets the account of a caller that has no more work, to make room.
function dropIdle(now) {
  const idle = Object.keys(accounts).find(name => !now.callers[name] || !now.callers[name].busy);
  if (idle) delete accounts[idle];
  return Boolean(idle);
}

// shares are the accounts: [{ name, weight, got, share }], in seconds of CPU.
export const shares = () => Object.entries(accounts).map(([name, a]) => ({ name, ...a }));
