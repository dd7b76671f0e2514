// Calls of the node's API. Addresses are relative to the page, so it works below any path.
import { read, write } from "./kept.js";

const giveUp = 5000; // milliseconds for an answer that is not waited for

let clock = 0, server = "";

// ahead is how many milliseconds the node's clock is ahead of the browser's.
export const ahead = () => clock;

// version is the name that the node gives itself.
export const version = () => server;

// Refusal is an answer that says no: message is the node's sentence.
export class Refusal extends Error {
  constructor(status, body) {
    super(body.detail || body.title || "The node answers " + status + ".");
    this.status = status;
  }
}

// Silence is an answer that did not come.
export class Silence extends Error {
  constructor() { super("The node does not answer."); }
}

// The key that a person has entered is kept for this window only.
let key = read("key") || "", me = null;

export function useKey(text) {
  [key, me] = [text, null];
  write("key", text);
}

export const hasKey = () => key !== "";

// whoami asks once what the key allows: { role, caller }, caller being a pattern of names.
export const whoami = async signal => me ||= await ask("keys/current", { signal });

// may reports whether the person may do something: "look" around everywhere, "change" jobs,
// "operate" callers. Until the node has said what the key allows, all is shown.
export const may = what => !me || ({ look: ["viewer", "operator"], change: ["caller", "operator"], operate: ["operator"] })[what].includes(me.role);

// own is the caller that a caller's key is for, empty if it is for several.
export const own = () => me && me.role === "caller" && me.caller && !me.caller.includes("*") ? me.caller : "";

async function call(path, options) {
  let answer;
  if (key) options.headers = { ...options.headers, Authorization: "Bearer " + key };
  try { answer = await fetch(path, { cache: "no-store", ...options }); } catch (e) {
    if (options.signal && options.signal.aborted && options.signal.reason !== late) throw options.signal.reason;
    throw new Silence();
  }
  const date = Date.parse(answer.headers.get("date"));
  if (date) { const gap = date + 500 - Date.now(); clock = Math.abs(gap) > 2000 ? gap : 0; }
  server = answer.headers.get("server") || server;
  return answer;
}

const late = new Error("no answer in time");

// ask calls the node and returns what it says. It throws a Refusal, a Silence, or the
// reason of the signal.
export async function ask(path, options = {}, limit = giveUp) {
  const stop = new AbortController(), { signal, ...rest } = options;
  const abort = () => stop.abort(signal.reason);
  if (signal) { if (signal.aborted) throw signal.reason; signal.addEventListener("abort", abort); }
  const timer = setTimeout(() => stop.abort(late), limit);
  try {
    const answer = await call(path, { ...rest, signal: stop.signal });
    const body = await answer.json().catch(() => { if (stop.signal.aborted) throw new Silence(); return {}; });
    if (!answer.ok) throw new Refusal(answer.status, body);
    return body;
  } finally {
    clearTimeout(timer);
    if (signal) signal.removeEventListener("abort", abort);
  }
}

// query writes parameters that have a value, with the question mark.
export function query(parameters) {
  const used = Object.entries(parameters).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return used.length ? "?" + new URLSearchParams(used) : "";
}

export const jobPath = id => "compute/" + encodeURIComponent(id);

export const callerPath = name => "callers/" + encodeURIComponent(name);

export const send = (method, path, body, limit) => ask(path, {
  method, ...(body === undefined ? {} : { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) }),
}, limit || 15000);

export const cancelJob = id => send("DELETE", jobPath(id));

export const retryJob = id => send("POST", jobPath(id) + "/retry");

export const ended = job => !["pending", "running"].includes(job.status);

const heartbeat = 15000; // milliseconds between two signs of life on a stream, at most

// events calls told(kind, data) for each server-sent event of a path, and returns when the
// node ends the stream. It is not an EventSource, because that can't send a key.
export async function events(path, signal, told) {
  const stop = new AbortController();
  signal.addEventListener("abort", () => stop.abort(signal.reason));
  let timer = 0, text = "";
  const alive = () => { clearTimeout(timer); timer = setTimeout(() => stop.abort(late), 2 * heartbeat); };
  try {
    alive();
    const answer = await call(path, { signal: stop.signal, headers: { Accept: "text/event-stream" } });
    if (!answer.ok) throw new Refusal(answer.status, await answer.json().catch(() => ({})));
    if (!answer.body) return;
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      alive();
      const blocks = (text + part.value).split("\n\n");
      text = blocks.pop();
      for (const block of blocks) tell(block, told);
    }
  } finally { clearTimeout(timer); }
}

function tell(block, told) {
  const member = name => block.split("\n").filter(line => line.startsWith(name + ": ")).map(line => line.slice(name.length + 2)).join("\n");
  if (member("data")) told(member("event"), JSON.parse(member("data")));
}
