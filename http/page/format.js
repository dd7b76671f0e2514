// How numbers, times and states are written.
import { h } from "./dom.js";
import { ahead } from "./api.js";

export const count = n => Number(n || 0).toLocaleString("en");

// rate writes events a second.
export const rate = n => typeof n !== "number" ? "-" : n === 0 ? "0" : n < 10 ? n.toPrecision(2) : count(Math.round(n));

// time writes a number of seconds.
export function time(seconds) {
  if (!(seconds >= 0)) return "-";
  if (seconds === 0) return "0 s";
  if (seconds < 0.001) return (seconds * 1e6).toFixed(0) + " µs";
  if (seconds < 1) return (seconds * 1e3).toPrecision(3) / 1 + " ms";
  if (seconds < 100) return seconds.toFixed(1) + " s";
  if (seconds < 6000) return Math.floor(seconds / 60) + " min " + Math.floor(seconds % 60) + " s";
  return seconds < 360000 ? (seconds / 3600).toFixed(1) + " h" : (seconds / 86400).toFixed(0) + " days";
}

export const micros = us => time(us / 1e6);

const now = () => Date.now() + ahead();

// age is how long ago a time of the node is, in seconds.
export const age = at => Math.max(0, now() - Date.parse(at)) / 1000;

export const since = at => at ? time(age(at)) : "-";

// moment writes a time of the node in the browser's time zone, to the second.
export function moment(at) {
  if (!at) return "-";
  const t = new Date(at), two = n => String(n).padStart(2, "0");
  return t.getFullYear() + "-" + two(t.getMonth() + 1) + "-" + two(t.getDate()) + " " + two(t.getHours()) + ":" + two(t.getMinutes()) + ":" + two(t.getSeconds());
}

// ago says how long ago something was, with the time itself as its title.
export const ago = at => at ? h("time", { datetime: at, title: moment(at) }, since(at) + " ago") : "-";

// brief shortens a number to its ends and its length; the title keeps all of it.
export function brief(n, most = 24) {
  n = String(n);
  if (n.length <= most) return h("span", { class: "mono" }, n);
  return h("span", { class: "mono", title: n }, n.slice(0, most / 4) + "…" + n.slice(-most / 4) + " (" + n.length + " digits)");
}

// proofOf says how a prime is known to be one. Without a word from the node it is by size.
const proofs = {
  deterministic: "deterministic test", "n-1": "N−1: factors of the prime less one", "n+1": "N+1: Lucas and Lehmer", "apr-cl": "APR-CL: Jacobi sums", probable: "passed the Baillie-PSW test, not proven",
};
export const proofOf = (prime, method) => proofs[method || (prime.length < 25 ? "deterministic" : "")] || "proven";

export const state = name => h("span", { class: "state " + name }, name);

// primesOf are the primes of a result with their exponents, ascending.
export const primesOf = result => Object.entries(result || {}).sort(([a], [b]) => a.length - b.length || (a < b ? -1 : 1));

// product writes a result: 2³ · 5.
export const product = (result, short) => primesOf(result).map(([p, e], i) => [
  i ? " · " : "", short ? brief(p) : h("span", { class: "mono" }, p), e > 1 ? h("sup", null, e) : "",
]);

// formula writes a result as text that can be pasted: 2^3 * 5.
export const formula = result => primesOf(result).map(([p, e]) => e > 1 ? p + "^" + e : p).join(" * ") || "1";
