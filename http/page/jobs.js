// The list of jobs: found by id, number, caller, status and time, page by page.
import { h } from "./dom.js";
import { ask, callerPath, cancelJob, ended, may, own, query, retryJob } from "./api.js";
import { ago, brief, count, micros, state } from "./format.js";
import { button, each, pages, sure, table } from "./parts.js";
import { outcome } from "./overview.js";
import * as operations from "./operation.js";

const statuses = ["pending", "running", "completed", "failed", "cancelled"], perPage = 50;

let selected = new Map(); // of the jobs that are ticked, by id

export const jobs = {
  every: data => selected.size ? 0 : data && data.operation && data.operation.status === "running" ? 500 : 2000, // rows do not move under a selection
  title: () => "Jobs",
  enter() { selected = new Map(); },
  search,
  async load(route, signal) {
    const [page, operation] = await Promise.all([ask("compute" + query({ ...filters(route), cursor: route.query.get("cursor"), limit: perPage }), { signal }), operations.load(route, signal)]);
    return { ...page, operation };
  },
  show: (data, route, act) => [
    h("h1", null, "Jobs"),
    search(route),
    data && operations.show(data.operation),
    h("section", { class: "live", "aria-label": "Jobs found" }, actions(data, route, act), list(data, act, may("change"), true),
      data && pages(cursor => "#/jobs" + query({ ...filters(route), cursor }), route.query.get("cursor") || "", data.next)),
  ],
};

// filters are what the address asks for, as the node takes it.
const filters = ({ query: q }) => ({ caller_id: q.get("caller_id") || own(), status: q.get("status"), number: q.get("number"), since: q.get("since"), until: q.get("until"), quarantined: q.get("quarantined") });

// search describes the form whose answers make the address.
function search(route) {
  const q = route.query, ticked = (q.get("status") || "").split(",");
  const field = (text, name, attrs) => h("label", null, text, h("input", { key: name + q.get(name), name, value: local(name, q.get(name)), autocomplete: "off", autocapitalize: "none", spellcheck: "false", ...attrs }));
  return h("section", { "aria-label": "Find jobs" }, h("form", { class: "search", onsubmit: event => { event.preventDefault(); find(event.target); } },
    field("Job id or number", "number", { placeholder: "600851475143" }),
    field("Caller", "caller_id", { maxlength: "64" }),
    field("Since", "since", { type: "datetime-local", step: "1" }),
    field("Until", "until", { type: "datetime-local", step: "1" }),
    h("button", null, "Find"),
    h("fieldset", null, h("legend", null, "Status"), statuses.map(s => h("label", { class: "chip" },
      h("input", { type: "checkbox", name: "status", value: s, checked: ticked.includes(s), onchange: event => find(event.target.form) }), state(s))),
      h("label", { class: "chip" }, h("input", { type: "checkbox", name: "quarantined", value: "true", checked: !!q.get("quarantined"), onchange: event => find(event.target.form) }), "quarantined"),
    route.hash.includes("?") ? h("a", { href: "#/jobs" }, "Clear") : null)));
}

// local turns the time of an address into what a date field takes.
function local(name, value) {
  if (!value || !["since", "until"].includes(name)) return value || "";
  const t = new Date(value);
  return isNaN(t) ? "" : new Date(t - t.getTimezoneOffset() * 60000).toISOString().slice(0, 19);
}

const jobID = /^[0-9a-hjkmnp-tv-z]{26}$/;

// find goes to what a form asks for: a job if that is the id of one.
function find(form) {
  const value = name => form.elements[name] ? form.elements[name].value.trim() : "", instant = name => value(name) ? new Date(value(name)).toISOString() : "";
  const number = value("number").replace(/[\s,_]/g, "");
  if (jobID.test(number) && /[a-z]/.test(number)) { location.hash = "#/jobs/" + number; return; }
  const ticked = [...form.querySelectorAll("[name=status]:checked")].map(box => box.value);
  location.hash = "#/jobs" + query({ caller_id: value("caller_id"), status: ticked.join(","), number, since: instant("since"), until: instant("until"), quarantined: form.elements.quarantined.checked ? "true" : "" });
}

// actions are the buttons for what is ticked.
function actions(data, route, act) {
  if (!data || !data.jobs.length || !may("change")) return null;
  const ticked = [...selected.values()], open = ticked.filter(j => !ended(j)), failed = ticked.filter(j => j.status === "failed");
  const change = (name, text, list, done, work) => button(name, text + (list.length ? " " + count(list.length) : ""), act, { disabled: !list.length }, async () => {
    const errors = await each(list, j => work(j.request_id));
    selected = new Map();
    act.load();
    return count(list.length - errors.length) + " " + done + (errors.length ? "; " + count(errors.length) + " not: " + errors[0].message : "");
  });
  return h("div", { class: "buttons", role: "group", "aria-label": "For the jobs that are ticked" },
    h("span", { class: "soft" }, selected.size ? count(selected.size) + " ticked" : "Tick jobs to cancel or retry them"),
    change("cancel-ticked", "Cancel", open, "cancelled", cancelJob), change("retry-ticked", "Retry", failed, "will be tried again", retryJob),
    all(data, route, act));
}

// all are the buttons for each job that the filters find, on this page or not. The node
// cancels the jobs of one caller only, so that a slip of a finger can't stop all, and retries
// quarantined ones by their ids only.
function all(data, route, act) {
  const found = filters(route), states = (found.status || "pending,running").split(",");
  const unfinished = states.includes("pending") && states.every(s => ["pending", "running"].includes(s));
  const change = (name, text, question, method, path) => button(name, text, act, { class: "danger" }, async () =>
    await sure(question, "This includes jobs on other pages.", text) ? operations.begin(route, method, path, found) : "");
  return found.quarantined ? null : [
    found.caller_id && unfinished ? change("cancel-all", "Cancel all", "Cancel all unfinished jobs of " + found.caller_id + " that match the filters?", "DELETE", "compute") : null,
    found.status === "failed" ? change("retry-all", "Retry all", "Retry all failed jobs that match the filters?", "POST", "compute/retry") : null,
  ];
}

// list describes a table of jobs: with boxes to tick if pick is true, with their callers if
// named is.
export function list(data, act, pick, named) {
  const all = data && data.jobs.length > 0 && data.jobs.every(j => selected.has(j.request_id));
  const tick = (js, on) => { for (const j of js) on ? selected.set(j.request_id, j) : selected.delete(j.request_id); act.draw(); if (!selected.size) act.load(); };
  const box = (label, js, on) => h("input", { type: "checkbox", "aria-label": label, checked: on, onchange: event => tick(js, event.target.checked) });
  const shown = cells => cells.filter((_, i) => i === 0 ? pick : i === 2 ? named : true);
  const columns = shown([
    { text: "", as: box("Tick all on this page", data ? data.jobs : [], all), cls: "pick" }, { text: "status" }, { text: "caller" }, { text: "number" },
    { text: "result", cls: "flow" }, { text: "CPU", cls: "n" }, { text: "submitted", cls: "n" },
  ]);
  return table("Jobs", columns, data && data.jobs.map(j => ({
    key: j.request_id, cells: shown([
      box("Tick job " + j.number.slice(0, 40), [j], selected.has(j.request_id)), state(j.status), h("a", { href: "#/" + callerPath(j.caller_id), class: "mono" }, j.caller_id),
      h("a", { href: "#/jobs/" + j.request_id }, brief(j.number)), outcome(j), ended(j) ? micros(j.cpu_us) : "", ago(j.submitted_at),
    ]),
  })), "No job matches the filters.");
}
