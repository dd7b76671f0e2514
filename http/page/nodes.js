// The nodes of the cluster, their workers, and what each does.
import { h } from "./dom.js";
import { ask, callerPath } from "./api.js";
import { brief, count, since, state, time } from "./format.js";
import { facts, section } from "./parts.js";

export const nodes = {
  every: 1000,
  title: () => "Nodes",
  load: async (_, signal) => (await ask("nodes", { signal })).nodes,
  show: data => [
    h("h1", null, "Nodes"),
    data ? data.map(n => node(n, data.length > 1)) : h("p", { class: "empty" }, "not known yet"),
  ],
};

function node(n, several) {
  const { workers } = n, busy = workers.filter(w => w.caller_id).length;
  return section([h("span", { class: "mono" }, n.name || n.id), state(n.state), n.self && several ? h("span", { class: "tag" }, "answers this page") : null], { class: "live node", key: n.id },
    h("p", null, workers.length ? busy + " of " + workers.length + " workers busy" : "does not answer"),
    h("ol", { class: "workers" }, workers.map((w, i) => h("li", { class: w.caller_id ? "busy" : "" }, h("span", { class: "soft" }, "worker " + (i + 1)), w.caller_id ? doing(w) : h("span", { class: "soft" }, "idle")))),
    workers.length ? [h("p", { class: "soft" }, "Since it started"), facts([["accepted", count(n.accepted)], ["completed", count(n.completed)], ["failed", count(n.failed)], ["cancelled", count(n.cancelled)], ["turns", count(n.turns)], ["CPU", time(n.cpu_seconds)]])] : null,
    h("p", { class: "soft mono small" }, n.id + (n.address ? ", actors on " + n.address : "") + (n.gossip ? ", gossip on " + n.gossip : "")));
}

const doing = w => [
  h("a", { href: "#/jobs/" + w.request_id }, brief(w.number || "", 20)),
  h("span", { class: "soft" }, "of ", h("a", { href: "#/" + callerPath(w.caller_id), class: "mono" }, w.caller_id), " for " + since(w.since)),
];
