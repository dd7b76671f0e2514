// What is known of a number, without a job.
import { h } from "./dom.js";
import { ask, may, query } from "./api.js";
import { brief, count, product, proofOf } from "./format.js";
import { pages, section, table } from "./parts.js";

const perPage = 50;

const meanings = {
  FF: "composite, all primes known", CF: "composite, some primes known", C: "composite, no prime known", P: "a proven prime", PRP: "a probable prime", U: "nothing is known", Unit: "the unit, which has no prime factors",
};

export const known = {
  every: 0,
  title: () => "Known numbers",
  search,
  load(route, signal) {
    const n = route.query.get("n");
    if (n) return ask("factors/" + encodeURIComponent(n), { signal });
    return may("look") ? ask("factors" + query({ cursor: route.query.get("cursor"), limit: perPage }), { signal }) : {};
  },
  show: (data, route) => [h("h1", null, "Known numbers"), search(route), data && data.number ? answer(data) : data && data.known ? remembered(data, route) : null],
};

// remembered is a page of the numbers that the node keeps the factors of.
const remembered = (data, route) => section("Remembered", { class: "live" },
  table("Remembered numbers", [{ text: "number" }, { text: "factors", cls: "flow" }], data.known.map(f => ({
    key: f.number, cells: [h("a", { href: "#/known" + query({ n: f.number }) }, brief(f.number)), product(powers(f), true)],
  })), "Nothing is remembered yet: numbers of fewer than 31 digits are factored again each time."),
  pages(cursor => "#/known" + query({ cursor }), route.query.get("cursor") || "", data.next));

const powers = f => Object.fromEntries(f.factors.map(p => [p.prime, p.exponent]));

function search(route) {
  const n = route.query.get("n") || "", look = event => {
    event.preventDefault();
    location.hash = "#/known" + query({ n: event.target.elements.n.value.replace(/[\s,_]/g, "") });
  };
  return h("section", { "aria-label": "Look a number up" },
    h("form", { class: "search", onsubmit: look },
      h("label", null, "Number", h("input", { key: "n" + n, name: "n", value: n, required: true, autocomplete: "off", autocapitalize: "none", spellcheck: "false", placeholder: "600851475143" })),
      h("button", null, "Look up")),
    h("p", { class: "soft" }, "Digits, or an expression such as 2^67-1. Tells what jobs have found, and the factors of short numbers. No job is made."));
}

const answer = f => section([h("span", { class: "tag" }, f.status), meanings[f.status] || ""], { class: "live" },
  h("p", { class: "equation" }, f.number, f.factors.length ? [" = ", product(powers(f)), f.cofactor === "1" ? "" : [" · ", f.cofactor]] : ""),
  h("p", { class: "soft" }, count(f.number.length) + (f.number.length === 1 ? " digit" : " digits"), f.cofactor === "1" || !f.factors.length ? "" : "; what is left has " + count(f.cofactor.length)),
  f.factors.length ? table("Primes", [{ text: "prime", cls: "flow" }, { text: "exponent", cls: "n" }, { text: "digits", cls: "n" }, { text: "proof" }],
    f.factors.map(p => ({ key: p.prime, cells: [h("span", { class: "mono" }, p.prime), p.exponent, p.prime.length, proofOf(p.prime, p.proof)] }))) : null,
  ["FF", "P", "PRP", "Unit"].includes(f.status) ? null : may("change") ? h("p", null, h("a", { href: "#/" + query({ n: f.number }) }, "Factor it")) : null);
