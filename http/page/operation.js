// What is done to many jobs at once: the node does it step by step, and the address keeps
// which one is looked at.
import { h } from "./dom.js";
import { ask, query, send } from "./api.js";
import { count } from "./format.js";
import { bar } from "./parts.js";

// begin starts an operation and shows it: method and path say what is to be done.
export async function begin(route, method, path, filters) {
  const { operation, matched, counted } = await send(method, path + query(filters), undefined, 60000);
  const parameters = new URLSearchParams(route.query);
  parameters.set("operation", operation);
  location.hash = route.hash.split("?")[0] + "?" + parameters;
  return count(matched) + (counted ? "" : " or more") + (matched === 1 && counted ? " job suits." : " jobs suit.");
}

// load asks how far the operation of an address is; null without one.
export const load = (route, signal) => route.query.get("operation") ? ask("operations/" + encodeURIComponent(route.query.get("operation")), { signal }) : null;

const verbs = { cancel: ["Cancelling", "Cancelled"], retry: ["Trying again", "Put back into their queues:"] };

// show describes an operation.
export function show(op) {
  if (!op) return null;
  const done = op.status === "done", gone = op.done + op.skipped, [doing, did] = verbs[op.kind] || [op.kind, op.kind];
  return h("section", { class: "live", id: "operation", "aria-label": "Operation" },
    h("p", { class: "scale" }, h("strong", null, done ? did + " " + count(op.done) : doing + " " + count(op.done) + " of " + count(op.matched) + (op.counted ? "" : " or more")), h("span", null, op.skipped ? count(op.skipped) + " had ended before" : "")),
    done ? null : bar(doing, op.matched ? gone / op.matched : 0, count(gone) + " of " + count(op.matched), "run"));
}
