// The form that takes a number, and what became of it.
import { h } from "./dom.js";
import { ask, cancelJob, ended, jobPath, own, Silence } from "./api.js";
import { micros, time, product } from "./format.js";
import { button, section } from "./parts.js";

let watched = null, trouble = "", sending = false, attempt = { key: "" };

const caller = (() => { try { return localStorage.getItem("caller") || "web"; } catch { return "web"; } })();

const randomKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), b => b.toString(16).padStart(2, "0")).join("");

// submitForm describes the form, with a number in it if there is one.
export const submitForm = (act, number) => section("Factor a number", null,
  h("form", { id: "form", onsubmit: event => { event.preventDefault(); submit(event.target, act); } },
    h("label", null, "Number or expression", h("input", { key: "number" + number, name: "number", value: number || "", autocomplete: "off", autocapitalize: "none", spellcheck: "false", required: true, placeholder: "600851475143 or 2^67-1" })),
    h("label", null, "In the name of the caller", h("input", {
      name: "caller", autocomplete: "off", autocapitalize: "none", spellcheck: "false", required: true, maxlength: "64", pattern: "[A-Za-z0-9._:@\\-]+", title: "1 to 64 letters, digits or . _ : @ -", value: own() || caller,
    })),
    h("button", { disabled: sending }, "Factor")),
  watched || trouble || sending ? h("div", { id: "answer", role: "status" }, answer(act)) : null);

function answer(act) {
  if (sending) return h("p", { class: "equation" }, "sending");
  if (!watched) return [h("p", { class: "equation" }, attempt.number), h("p", { class: "refused" }, trouble)];
  const j = watched;
  return [
    h("p", { class: "equation" }, j.status === "completed" ? [j.number, " = ", Object.keys(j.result).length ? product(j.result) : "1"] : j.number),
    h("p", { class: "remark" }, h("span", null, words(j)), trouble ? h("span", { class: "refused" }, trouble) : null,
      h("a", { href: "#/jobs/" + j.request_id }, "Show the job"),
      ended(j) ? null : button("cancel-watched", "Cancel", act, null, async () => { watched = await cancelJob(j.request_id); })),
  ];
}

// remains says how long a job that runs will go on, empty if that is not known.
export function remains(p) {
  if (p.limited) return "the node's limit of CPU ends it in about " + time(p.left_seconds || 0);
  return p.left_seconds > 0 ? "about " + time(p.left_seconds) + " left" : "";
}

// words says in a sentence how a job does.
export function words(j) {
  if (j.status === "failed") return "failed: " + (j.error || "no reason given");
  if (j.status === "pending") return "accepted and on disk, waits for its turn";
  if (j.status === "running") {
    const p = j.progress;
    if (!p) return "running";
    return ["running: " + p.phase + " " + Math.floor(p.percent || 0) + " %", remains(p) ? ", " + remains(p) : "",
      Object.keys(p.found || {}).length ? [", found so far: ", product(p.found, true)] : ""];
  }
  if (j.status !== "completed") return j.status;
  const primes = Object.keys(j.result).length;
  return [primes === 0 ? "no prime factors" : primes === 1 && j.result[j.number] ? "it is prime" : primes + (primes === 1 ? " prime" : " primes"),
    ", " + micros(j.cpu_us) + " of CPU", j.known ? ", known from before" : "",
    (j.probable || []).length ? "; not proven, but passed the Baillie-PSW test: " + j.probable.join(", ") : ""];
}

// submit sends what was typed. A key makes it safe to press the button again after a lost
// answer: the same number of the same caller is taken once.
async function submit(form, act) {
  const typed = form.elements.number.value.trim(), digits = typed.replace(/\s/g, ""), plain = /^[0-9]*$/.test(digits);
  const number = plain ? digits : typed, name = form.elements.caller.value.trim();
  if (attempt.number !== number || attempt.caller !== name || !attempt.key) attempt = { number, caller: name, key: randomKey() };
  [watched, trouble, sending] = [null, "", true];
  act.draw();
  try { localStorage.setItem("caller", name); } catch { /* a browser that keeps nothing */ }
  try {
    const job = await ask("compute", {
      method: "POST", headers: { "Content-Type": "application/json", "X-Caller-ID": name, "Idempotency-Key": attempt.key }, body: JSON.stringify(plain ? { number } : { expression: number }),
    }, 15000);
    attempt.key = "";
    watch(job, act);
  } catch (e) {
    const silent = e instanceof Silence;
    if (!silent) attempt.key = "";
    trouble = silent ? "The node does not answer. Press the button again: the number will not be taken twice." : e.message;
  }
  sending = false;
  act.draw();
}

// watch follows a job until it has ended or another one is watched.
async function watch(job, act) {
  watched = job;
  const mine = () => watched && watched.request_id === job.request_id;
  while (mine()) {
    act.draw();
    if (ended(watched)) return;
    const from = Date.now();
    try {
      const next = await ask(jobPath(job.request_id) + "?wait=" + (watched.status === "pending" ? 1 : 2), {}, 20000);
      if (mine()) [watched, trouble] = [next, ""];
    } catch (e) { if (mine()) trouble = e.message + " The job goes on; asking again."; }
    if (Date.now() - from < 500) await new Promise(done => setTimeout(done, 500));
  }
}
