// Which callers have work, and their accounts.
import { ask, callerPath, query, Refusal } from "./api.js";

const most = 12;

let followed = []; // names that were busy at the last look

// busyCallers asks for the accounts of callers that have work: those of the jobs that run
// now, and those that were busy before and still are. With many callers it is a part of
// them, which changes as others get their turns.
export async function busyCallers(signal) {
  const { jobs } = await ask("compute" + query({ status: "running", limit: 100 }), { signal });
  const names = [...new Set([...followed, ...jobs.map(j => j.caller_id)])].slice(0, most);
  const accounts = await Promise.all(names.map(name => ask(callerPath(name), { signal }).catch(gone)));
  const busy = accounts.filter(c => c && c.queued + c.running > 0);
  followed = busy.map(c => c.caller_id);
  return busy.sort((a, b) => b.queued - a.queued || (a.caller_id < b.caller_id ? -1 : 1));
}

function gone(e) {
  if (e instanceof Refusal && e.status === 404) return null;
  throw e;
}
