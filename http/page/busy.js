// Which callers have work, and their accounts.
import { ask, query } from "./api.js";

const most = 12;

let followed = []; // names that were busy at the last look

// busyCallers asks for the accounts of callers that have work: those with the most jobs that
// run or wait. Those that were busy before and still are stay in the list.
export async function busyCallers(signal) {
  const pages = await Promise.all(["-running", "-queued"].map(sort => ask("callers" + query({ sort, limit: 2 * most }), { signal })));
  const found = new Map(pages.flatMap(p => p.callers).filter(c => c.queued + c.running > 0).map(c => [c.caller_id, c]));
  const busy = [...new Set([...followed, ...found.keys()])].map(name => found.get(name)).filter(Boolean).slice(0, most);
  followed = busy.map(c => c.caller_id);
  return busy.sort((a, b) => b.queued - a.queued || (a.caller_id < b.caller_id ? -1 : 1));
}
