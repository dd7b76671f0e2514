// The page's frame: which view the address asks for, when it asks the node again, and
// whether the node answers. A view is an object with
//
//   title(route)                 what the window is called
//   load(route, signal, act)     asks the node; returns what show needs
//   show(data, route, act)       describes the view; data is null until load has answered
//   every                        milliseconds between two loads, or a function of data
//                                that says so; 0 loads once
//   enter(route)                 forgets what belongs to the view before; may be missing
//   search(route)                what stays when the node refuses; may be missing
//
// and act has load() and draw(), which do it again at once, set(data), which shows other
// data, and say(text).
import { put, h } from "./dom.js";
import { callerPath, hasKey, may, own, Refusal, Silence, useKey, version, whoami } from "./api.js";
import { keyForm } from "./key.js";
import { state, time } from "./format.js";
import { overview } from "./overview.js";
import { jobs } from "./jobs.js";
import { job } from "./job.js";
import { callers } from "./callers.js";
import { caller } from "./caller.js";
import { nodes } from "./nodes.js";
import { known } from "./known.js";

const $ = id => document.getElementById(id);

const tabs = [["", "Overview"], ["jobs", "Jobs"], ["callers", "Callers"], ["nodes", "Nodes"], ["known", "Known"]];

// tabsFor are the views that the person's key allows: a caller's key shows its jobs.
const tabsFor = () => may("look") ? tabs : [["", "Factor"], ["jobs", "Jobs"], ["known", "Known"], ...(own() ? [[callerPath(own()), own()]] : [])];

const lists = { "": overview, jobs, callers, nodes, known };
const singles = { jobs: job, callers: caller };

// routeOf reads the address: #/jobs?status=failed is { name: "jobs", id: "", query }.
function routeOf(hash) {
  const [path, query] = hash.replace(/^#\/?/, "").split("?");
  const [name, ...rest] = path.split("/");
  let id = rest.join("/");
  try { id = decodeURIComponent(id); } catch { /* the name of nothing */ }
  const view = id ? singles[name] : lists[name];
  return { name, id, query: new URLSearchParams(query || ""), view: view || missing, hash };
}

const missing = {
  title: () => "Nothing here", every: 0, load: async () => ({}),
  show: () => [h("h1", null, "Nothing here"), h("section", null, h("p", null, "The page has no such view. ", h("a", { href: "#/" }, "Go to the overview")))],
};

let route = null, data = null, refused = null, round = 0, timer = 0, stop = new AbortController(), lastAnswer = 0;

const act = { load: () => load(), draw: () => draw(), set: fresh => { data = fresh; draw(); }, say };

// say tells a person what became of something, for a while.
let saying = 0;
function say(text) {
  put($("said"), text);
  clearTimeout(saying);
  saying = setTimeout(() => put($("said")), 20000);
}

function draw() {
  if (refused && refused.status === 401) return put($("main"), keyForm(refused.message, load));
  put($("nav"), tabsFor().map(([name, text]) => h("a", { href: "#/" + name, "aria-current": name === route.name || name === route.name + "/" + route.id ? "page" : null }, text)));
  if (!refused) return put($("main"), route.view.show(data, route, act));
  put($("main"), h("h1", null, route.view.title(route)), route.view.search && route.view.search(route),
    h("section", null, h("p", { class: "refused" }, refused.message), h("p", null, h("a", { href: "#/" + (route.id ? route.name : "") }, "Back"))));
}

// load asks the node for what the view shows, and again after a while.
async function load() {
  clearTimeout(timer);
  stop.abort(new Error("asked again"));
  stop = new AbortController();
  const mine = ++round, { signal } = stop, { view } = route;
  try {
    await whoami(signal);
    const answer = await view.load(route, signal, act);
    if (mine !== round || signal.aborted) return;
    [data, refused, lastAnswer] = [answer, null, Date.now()];
    live();
    draw();
  } catch (e) {
    if (mine !== round || signal.aborted) return;
    if (e instanceof Refusal && e.status < 500) { refused = e; lastAnswer = Date.now(); live(); draw(); return; }
    if (!(e instanceof Refusal || e instanceof Silence)) console.error(e);
    silent(e);
  }
  const pause = document.body.classList.contains("stale") ? 1000 : typeof view.every === "function" ? view.every(data) : view.every;
  if (pause && !document.hidden) timer = setTimeout(load, pause);
}

// rest stops all questions while the page is not seen.
function rest() {
  clearTimeout(timer);
  stop.abort(new Error("the page is not seen"));
}

function live() {
  document.body.classList.remove("stale");
  $("alarm").hidden = true;
  put($("health"), state("live"));
  put($("version"), version());
  $("forget").hidden = !hasKey();
}

function silent(e) {
  document.body.classList.add("stale");
  $("alarm").hidden = false;
  put($("alarm"), e.message + " Trying again every second.");
  put($("health"), h("span", { class: "state left" }, lastAnswer ? "last answer " + time((Date.now() - lastAnswer) / 1000) + " ago" : "no answer yet"));
  draw();
}

// follow shows what the address says.
function follow(event) {
  if (location.hash === "#main") return; // the link that skips to the content
  const before = route;
  route = routeOf(location.hash);
  document.title = route.view.title(route) + " - fairfactor";
  [data, refused] = [null, null];
  const other = !before || before.name !== route.name || before.id !== route.id;
  if (other) say("");
  if (route.view.enter) route.view.enter(route);
  put($("main"));
  draw();
  if (event && other) { $("main").focus({ preventScroll: true }); scrollTo(0, 0); }
  load();
}

addEventListener("hashchange", follow);
$("forget").addEventListener("click", () => { useKey(""); follow(); });
document.addEventListener("visibilitychange", () => document.hidden ? rest() : load());
document.querySelector(".skip").addEventListener("click", event => { event.preventDefault(); $("main").focus(); });
follow();
