// The list of callers: those that have work first, then all by name, page by page.
import { h } from "./dom.js";
import { ask, callerPath, query } from "./api.js";
import { count, time } from "./format.js";
import { pages, section, table } from "./parts.js";
import { busyCallers } from "./busy.js";
import { busyTable } from "./overview.js";

const perPage = 50;

export const callers = {
  every: 2000,
  title: () => "Callers",
  search,
  async load(route, signal) {
    const prefix = route.query.get("prefix") || "", first = !prefix && !route.query.get("after");
    const [page, busy] = await Promise.all([ask("callers" + query({ after: route.query.get("after") || below(prefix), limit: perPage }), { signal }), first ? busyCallers(signal) : null]);
    const found = page.callers.filter(c => c.caller_id.startsWith(prefix));
    return { callers: found, next: found.length === page.callers.length ? page.next : null, busy };
  },
  show: (data, route) => [
    h("h1", null, "Callers"),
    search(route),
    data && data.busy && data.busy.length ? section("Busy now", { class: "live" }, busyTable(data.busy)) : null,
    section(route.query.get("prefix") ? "Names that begin with " + route.query.get("prefix") : "All by name", { class: "live" },
      table("Callers", columns, data && data.callers.map(c => ({ key: c.caller_id, cells: cells(c) })), "No such caller has submitted anything yet."),
      data && pages(after => "#/callers" + query({ prefix: route.query.get("prefix"), after }), route.query.get("after") || "", data.next)),
  ],
};

// below is a text that comes after all names before a prefix: ~ comes after all that a name
// may have.
const below = prefix => prefix && prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) - 1) + (prefix.length < 64 ? "~" : "");

function search(route) {
  const prefix = route.query.get("prefix") || "", find = event => {
    event.preventDefault();
    location.hash = "#/callers" + query({ prefix: event.target.elements.prefix.value.trim() });
  };
  return h("section", { "aria-label": "Find callers" }, h("form", { class: "search", onsubmit: find },
    h("label", null, "Names that begin with", h("input", { key: "prefix" + prefix, name: "prefix", value: prefix, maxlength: "64", autocomplete: "off", autocapitalize: "none", spellcheck: "false" })),
    h("button", null, "Find"),
    route.hash.includes("?") ? h("a", { href: "#/callers" }, "Clear") : null));
}

const columns = [
  { text: "caller", cls: "head" }, { text: "queued", cls: "n" }, { text: "running", cls: "n" }, { text: "completed", cls: "n" }, { text: "failed", cls: "n" }, { text: "cancelled", cls: "n" },
  { text: "turns", cls: "n" }, { text: "CPU", cls: "n" }, { text: "oldest waits", cls: "n" }, { text: "weight", cls: "n" }, { text: "group", cls: "n" },
];

const cells = c => [
  h("a", { href: "#/" + callerPath(c.caller_id), class: "mono" }, c.caller_id), count(c.queued), count(c.running), count(c.completed), count(c.failed), count(c.cancelled), count(c.turns),
  time(c.cpu_seconds), c.oldest_waiting_seconds > 0 ? time(c.oldest_waiting_seconds) : "-", count(c.weight), c.group ? h("span", { class: "mono" }, c.group) : "-",
];
