// read and write keep a text for this window; a browser may keep nothing.
export function read(name) { try { return sessionStorage.getItem(name); } catch { return null; } }
export function write(name, text) { try { sessionStorage.setItem(name, text); } catch { /* then it is lost on a reload */ } }
