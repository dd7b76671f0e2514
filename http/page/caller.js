// One caller: its account, its settings, its newest jobs.
import { h } from "./dom.js";
import { ask, callerPath, may, query, send } from "./api.js";
import { count, state, time } from "./format.js";
import { button, facts, section, sure } from "./parts.js";
import { list } from "./jobs.js";
import * as operations from "./operation.js";

const jobsShown = 20;

export const caller = {
  every: data => data && data.operation && data.operation.status === "running" ? 500 : 2000,
  title: route => route.id,
  async load(route, signal) {
    const [account, page, operation] = await Promise.all([
      ask(callerPath(route.id), { signal }), ask("compute" + query({ caller_id: route.id, limit: jobsShown }), { signal }), operations.load(route, signal),
    ]);
    return { account, page, operation };
  },
  show: (data, route, act) => [
    h("h1", null, "Caller ", h("span", { class: "mono" }, route.id), data && data.account.paused ? state("paused") : null),
    data && operations.show(data.operation),
    section("Account", { class: "live" }, data ? [facts(rows(data.account)), actions(data.account, route, act)] : h("p", { class: "empty" }, "not known yet")),
    data && may("operate") ? settings(data.account, act) : null,
    section(["Newest jobs", h("a", { href: "#/jobs" + query({ caller_id: route.id }) }, "all")], { class: "live" }, list(data && data.page, act, false, false)),
  ],
};

const rows = c => [
  ["queued", count(c.queued)], ["running", count(c.running)], ["completed", count(c.completed)], ["failed", c.failed ? h("a", { href: "#/jobs" + query({ caller_id: c.caller_id, status: "failed" }) }, count(c.failed)) : "0"],
  ["cancelled", count(c.cancelled)], ["turns", count(c.turns)], ["CPU", time(c.cpu_seconds)], ["oldest waits", c.oldest_waiting_seconds > 0 ? time(c.oldest_waiting_seconds) : "-"], ["weight", count(c.weight)], ["group", c.group || "none"],
  ...bounds.filter(b => c[b.name]).map(b => [b.label, count(c[b.name])]),
];

// bounds are what an operator can allow a caller; empty is what the node allows to all.
const bounds = [
  { name: "max_queue", label: "most in queue" }, { name: "max_rate", label: "most a second" },
  { name: "max_digits", label: "most digits" }, { name: "max_cpu_seconds_per_day", label: "most CPU seconds a day" },
];

// actions are what can be done to a caller's queue.
function actions(c, route, act) {
  const name = c.caller_id, left = c.queued + c.running;
  const empty = async () => await sure("Empty the queue of " + name + "?", "Its " + count(left) + (left === 1 ? " job that has not ended is" : " jobs that have not ended are") + " cancelled. This can't be undone.", "Empty the queue")
    ? operations.begin(route, "DELETE", "compute", { caller_id: name }) : "";
  const pause = async () => { await send("PUT", callerPath(name), { paused: !c.paused }); act.load(); return c.paused ? "Its jobs go on." : "Its jobs wait until it is resumed."; };
  return h("div", { class: "buttons" },
    may("operate") ? button("pause", c.paused ? "Resume" : "Pause", act, null, pause) : null,
    may("change") && left ? button("empty", "Empty the queue", act, { class: "danger" }, empty) : null);
}

const text = bound => bound ? String(bound) : "";

function settings(c, act) {
  const put = change => send("PUT", callerPath(c.caller_id), change);
  const save = async event => {
    event.preventDefault();
    const form = event.target.elements, change = { weight: Number(form.weight.value) };
    if (form.group.value.trim() !== (c.group || "")) change.group = form.group.value.trim();
    for (const { name } of bounds) if (form[name].value !== text(c[name])) change[name] = form[name].value === "" ? null : Number(form[name].value);
    try { await put(change); act.say("Saved."); } catch (e) { act.say(e.message); }
    act.load();
  };
  return section("Settings", null,
    h("form", { class: "search", onsubmit: save },
      h("label", null, "Weight", h("input", { key: "weight" + c.weight, name: "weight", type: "number", min: "1", max: "1000", required: true, value: String(c.weight) })),
      h("label", null, "Group", h("input", { key: "group" + c.group, name: "group", maxlength: "64", pattern: "[A-Za-z0-9._:@\\-]*", title: "letters, digits or . _ : @ -; empty for none", autocomplete: "off", autocapitalize: "none", spellcheck: "false", value: c.group || "" })),
      bounds.map(({ name, label }) => h("label", null, label[0].toUpperCase() + label.slice(1), h("input", { key: name + c[name], name, type: "number", min: "1", placeholder: "any", value: text(c[name]) }))),
      h("button", null, "Save")));
}
