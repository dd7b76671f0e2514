// The list of callers, page by page: those that have most of something first, or by name.
import { h } from "./dom.js";
import { ask, callerPath, query } from "./api.js";
import { count, state, time } from "./format.js";
import { pages, section, table } from "./parts.js";

const perPage = 50;

// orders are those that the node has, and what they are called.
const orders = [["-queued", "most that waits"], ["-running", "most that runs"], ["-cpu", "most CPU"], ["name", "name"]];

const sortOf = route => orders.some(([key]) => key === route.query.get("sort")) ? route.query.get("sort") : orders[0][0];

export const callers = {
  every: 2000,
  title: () => "Callers",
  search,
  load: (route, signal) => ask("callers" + query({ sort: sortOf(route), prefix: route.query.get("prefix"), after: route.query.get("after"), limit: perPage }), { signal }),
  show: (data, route) => [
    h("h1", null, "Callers"),
    search(route),
    section(heading(route), { class: "live" },
      table("Callers", columns, data && data.callers.map(c => ({ key: c.caller_id, cells: cells(c) })), "No such caller has submitted anything yet."),
      data && pages(after => "#/callers" + query({ sort: route.query.get("sort"), prefix: route.query.get("prefix"), after }), route.query.get("after") || "", data.next)),
  ],
};

function heading(route) {
  const prefix = route.query.get("prefix"), sort = sortOf(route);
  return (prefix ? "Names that begin with " + prefix : "All callers") + (sort === "name" ? " by name" : ", " + orders.find(([key]) => key === sort)[1] + " first");
}

function search(route) {
  const prefix = route.query.get("prefix") || "", sort = sortOf(route), find = event => {
    event.preventDefault();
    const { prefix, sort } = event.target.closest("form").elements;
    location.hash = "#/callers" + query({ sort: sort.value === orders[0][0] ? "" : sort.value, prefix: prefix.value.trim() });
  };
  return h("section", { "aria-label": "Find callers" }, h("form", { class: "search", onsubmit: find },
    h("label", null, "Names that begin with", h("input", { key: "prefix" + prefix, name: "prefix", value: prefix, maxlength: "64", autocomplete: "off", autocapitalize: "none", spellcheck: "false" })),
    h("label", null, "First those with", h("select", { name: "sort", value: sort, onchange: find }, orders.map(([key, text]) => h("option", { value: key }, text)))),
    h("button", null, "Find"),
    route.hash.includes("?") ? h("a", { href: "#/callers" }, "Clear") : null));
}

const columns = [
  { text: "caller", cls: "head" }, { text: "queued", cls: "n" }, { text: "running", cls: "n" }, { text: "completed", cls: "n" }, { text: "failed", cls: "n" }, { text: "cancelled", cls: "n" },
  { text: "turns", cls: "n" }, { text: "CPU", cls: "n" }, { text: "oldest waits", cls: "n" }, { text: "weight", cls: "n" }, { text: "group", cls: "n" },
];

const cells = c => [
  [h("a", { href: "#/" + callerPath(c.caller_id), class: "mono" }, c.caller_id), " ", c.paused ? state("paused") : null], count(c.queued), count(c.running), count(c.completed), count(c.failed), count(c.cancelled), count(c.turns),
  time(c.cpu_seconds), c.oldest_waiting_seconds > 0 ? time(c.oldest_waiting_seconds) : "-", count(c.weight), c.group ? h("span", { class: "mono" }, c.group) : "-",
];
