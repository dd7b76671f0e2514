// The list of callers, page by page.
import { h } from "./dom.js";
import { ask, callerPath, has, query } from "./api.js";
import { count, time } from "./format.js";
import { pages, table } from "./parts.js";

const perPage = 50;

export const callers = {
  every: 2000,
  title: () => "Callers",
  load: (route, signal) => ask("callers" + query({ ...asked(route), after: route.query.get("after"), limit: perPage }), { signal }),
  show: (data, route) => [
    h("h1", null, "Callers"),
    search(route),
    h("section", { class: "live", "aria-label": "Callers found" },
      table("Callers", columns(route), data && data.callers.map(c => ({ key: c.caller_id, cells: cells(c) })), "No such caller has submitted anything yet."),
      data && pages(after => "#/callers" + query({ ...asked(route), after }), route.query.get("after") || "", data.next)),
  ],
};

const asked = ({ query: q }) => has.sort ? { prefix: q.get("prefix"), sort: q.get("sort") || (q.get("prefix") ? "" : "-queued") } : {};

function search(route) {
  const prefix = route.query.get("prefix");
  const go = event => {
    event.preventDefault();
    const typed = event.target.elements.prefix.value.trim();
    location.hash = has.sort ? "#/callers" + query({ sort: route.query.get("sort"), prefix: typed }) : "#/callers" + query({ after: typed });
  };
  return h("section", { "aria-label": "Find callers" }, h("form", { class: "search", onsubmit: go },
    h("label", null, has.sort ? "Names that begin with" : "Names from", h("input", { key: "prefix" + prefix, name: "prefix", value: prefix || "", maxlength: "64", autocomplete: "off", autocapitalize: "none", spellcheck: "false" })),
    h("button", null, "Find"),
    prefix || route.query.get("after") ? h("a", { href: "#/callers" }, "Clear") : null));
}

function columns(route) {
  return [
    { text: "caller", cls: "head" }, { text: "queued", cls: "n" }, { text: "running", cls: "n" }, { text: "completed", cls: "n" }, { text: "failed", cls: "n" }, { text: "cancelled", cls: "n" },
    { text: "turns", cls: "n" }, { text: "CPU", cls: "n" }, { text: "oldest waits", cls: "n" }, { text: "weight", cls: "n" }, { text: "group", cls: "n" },
  ];
}

const cells = c => [
  h("a", { href: "#/" + callerPath(c.caller_id), class: "mono" }, c.caller_id), count(c.queued), count(c.running), count(c.completed), count(c.failed), count(c.cancelled), count(c.turns),
  time(c.cpu_seconds), c.queued > 0 ? time(c.oldest_waiting_seconds) : "-", count(c.weight), c.group ? h("span", { class: "mono" }, c.group) : "-",
];
