// Elements, described as plain objects and made one by one. All text reaches the
// document as text: there is no way from a string to markup.

// h describes an element: h("td", { class: "n" }, "5"). Attributes that begin with "on"
// are handlers; key keeps an element with what it shows when its siblings change.
export const h = (tag, attrs, ...kids) => ({ tag, attrs: attrs || {}, kids: flat(kids) });

const flat = kids => kids.flat(Infinity).filter(kid => kid !== null && kid !== undefined && kid !== false && kid !== "");

const svg = "http://www.w3.org/2000/svg";

// put makes the children of an element those that are described. What is there already
// stays: the focus, a selection, and what a person types survive.
export function put(parent, ...kids) {
  const keyed = new Map();
  for (const child of parent.childNodes) if (child.key !== undefined) keyed.set(child.key, child);
  let at = parent.firstChild;
  for (const kid of flat(kids)) {
    const found = find(kid, at, keyed) || make(kid, parent);
    if (found === at) at = at.nextSibling;
    else parent.insertBefore(found, at);
    fill(found, kid);
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

function find(kid, at, keyed) {
  if (kid.tag === undefined) return at && at.nodeType === Node.TEXT_NODE ? at : null;
  const same = e => e && e.nodeType === Node.ELEMENT_NODE && e.localName === kid.tag && e.key === kid.attrs.key;
  if (kid.attrs.key === undefined) return same(at) ? at : null;
  const found = keyed.get(kid.attrs.key);
  return same(found) ? found : null;
}

function make(kid, parent) {
  if (kid.tag === undefined) return document.createTextNode("");
  const inside = parent.namespaceURI === svg && parent.localName !== "foreignObject";
  const e = inside || kid.tag === "svg" ? document.createElementNS(svg, kid.tag) : document.createElement(kid.tag);
  e.key = kid.attrs.key;
  return e;
}

function fill(e, kid) {
  if (kid.tag === undefined) {
    if (e.data !== String(kid)) e.data = kid;
    return;
  }
  const before = e.attrs || {};
  for (const name in before) if (!(name in kid.attrs)) set(e, name, null, before[name]);
  for (const name in kid.attrs) set(e, name, kid.attrs[name], before[name]);
  e.attrs = kid.attrs;
  if (kid.tag === "textarea") return;
  put(e, kid.kids);
  if (kid.tag === "select" && kid.attrs.value !== undefined && before.value !== kid.attrs.value) e.value = kid.attrs.value;
}

// properties are set as properties. The value of a field is set only when it is described
// differently than before: until then it is the person's.
const properties = ["value", "checked", "disabled", "hidden", "indeterminate"];

function set(e, name, value, before) {
  if (name === "key") return;
  if (name.startsWith("on")) e[name.toLowerCase()] = value;
  else if (name === "style") for (const part of new Set([...Object.keys(before || {}), ...Object.keys(value || {})])) e.style[part] = (value || {})[part] || "";
  else if (name === "checked" || name === "indeterminate") e[name] = Boolean(value);
  else if (value === before) return;
  else if (properties.includes(name) && name in e) e[name] = value === null ? "" : value;
  else if (value === null || value === undefined || value === false) e.removeAttribute(name);
  else e.setAttribute(name, value === true ? "" : value);
}
