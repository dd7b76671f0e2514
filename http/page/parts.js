// What views are made of: tables, questions, buttons that take a while.
import { h, put } from "./dom.js";
import { read, write } from "./kept.js";

// table describes a table, or says that there is nothing. A column is { text, cls, as }: as
// is what it shows in place of its text. A row is { key, cells }.
export function table(label, columns, rows, none) {
  if (!rows) return h("p", { class: "empty" }, "not known yet");
  if (!rows.length) return h("p", { class: "empty" }, none);
  return h("div", { class: "scroll", role: "region", "aria-label": label, tabindex: "0" }, h("table", null,
    h("thead", null, h("tr", null, columns.map(c => h("th", { scope: "col", class: c.cls, "aria-sort": c.sorted }, c.as || c.text)))),
    h("tbody", null, rows.map(row => h("tr", { key: row.key }, row.cells.map((cell, i) => h("td", { class: columns[i].cls, "data-name": columns[i].text }, cell)))))));
}

export const section = (title, attrs, ...kids) => h("section", attrs, h("h2", null, title), kids);

// facts describes a list of names and values; those without a value are left out.
export const facts = list => h("dl", null, list.filter(([, value]) => value !== null && value !== undefined).map(([name, value]) => h("div", null, h("dt", null, name), h("dd", null, value))));

// bar describes a share of a whole, 0 to 1.
export const bar = (label, share, text, cls) => h("div", {
  class: "bar", role: "progressbar", "aria-label": label, "aria-valuemin": "0", "aria-valuemax": "100", "aria-valuenow": Math.round(share * 100), "aria-valuetext": text,
}, h("i", { class: cls, style: { width: Math.min(100, share * 100) + "%" } }));

// sure asks a person whether something shall be done, and resolves to the answer.
export function sure(question, detail, yes) {
  const dialog = document.createElement("dialog");
  return new Promise(answer => {
    put(dialog, h("form", { method: "dialog", "aria-label": question },
      h("h2", null, question), h("p", null, detail),
      h("p", { class: "buttons" }, h("button", { value: "yes", class: "danger" }, yes), h("button", { value: "no", class: "quiet" }, "Keep things as they are"))));
    dialog.addEventListener("close", () => { dialog.remove(); answer(dialog.returnValue === "yes"); });
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector("[value=no]").focus();
  });
}

// button describes a button that can't be pressed again until what it does has ended. What
// that returns, or why it failed, is said to the person.
const busy = new Set();
export function button(name, text, act, attrs, work) {
  return h("button", {
    type: "button", class: "quiet", ...attrs, key: name, disabled: busy.has(name) || Boolean(attrs && attrs.disabled),
    onclick: async () => {
      busy.add(name);
      act.draw();
      try { const said = await work(); if (said) act.say(said); } catch (e) { act.say(e.message); }
      busy.delete(name);
      act.draw();
    },
  }, text);
}

// copy puts a text on the clipboard. Without HTTPS browsers have no clipboard for pages, so
// it goes through a field that is not seen.
export async function copy(text) {
  if (navigator.clipboard) {
    try { await navigator.clipboard.writeText(text); return; } catch { /* not allowed: the old way */ }
  }
  const field = document.createElement("textarea"), focused = document.activeElement;
  field.value = text;
  field.className = "unseen";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (focused) focused.focus();
  if (!done) throw new Error("The browser does not let this page copy.");
}

// each does something for every item, four at a time, and returns the errors.
export async function each(items, work) {
  const left = [...items], errors = [];
  const one = async () => { while (left.length) try { await work(left.shift()); } catch (e) { errors.push(e); } };
  await Promise.all([one(), one(), one(), one()]);
  return errors;
}

// pages describes the links between the pages of a list. The node's cursors lead forward
// only, so where each page was reached from is noted here, and survives a reload.
const from = JSON.parse(read("pages") || "{}");
export function pages(address, at, next) {
  const seen = at in from || at === "";
  if (next && seen && !(next in from)) {
    const keys = Object.keys(from);
    if (keys.length > 500) delete from[keys[0]];
    from[next] = at;
    write("pages", JSON.stringify(from));
  }
  if (!at && !next) return null;
  return h("nav", { class: "pages", "aria-label": "Pages" },
    at ? h("a", { href: address("") }, "First page") : null,
    at && at in from ? h("a", { href: address(from[at]), rel: "prev" }, "Previous") : null,
    next ? h("a", { href: address(next), rel: "next" }, "Next") : null);
}
