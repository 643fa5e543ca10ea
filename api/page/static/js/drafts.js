// Drafts, and messages of agents that the server has not accepted yet, in this browser's local storage. Every key
// contains the person's ID: no one is shown another person's text.

const kinds = ["draft", "sending"];

const person = document.documentElement.dataset.person ?? "";

// key returns the storage key of a record of the signed-in person.
export const key = (kind, ...rest) => [kind, person, ...rest].join("/");

// save stores a record and reports whether it did: storage may be full or disabled, and sending works without it.
export function save(at, record) {
  try {
    if (record) localStorage.setItem(at, JSON.stringify(record));
    else localStorage.removeItem(at);
    return true;
  } catch {
    return false;
  }
}

export function load(at) {
  try {
    return JSON.parse(localStorage.getItem(at));
  } catch {
    return null;
  }
}

// all lists the signed-in person's keys of a kind.
export const all = (kind) => Object.keys(localStorage).filter((at) => at.startsWith(key(kind, "")));

function forget(except) {
  for (const at of Object.keys(localStorage)) {
    if (kinds.includes(at.split("/")[0]) && !kinds.some((kind) => except && at.startsWith(`${kind}/${except}/`))) localStorage.removeItem(at);
  }
}

// The server sets this cookie when a person signs out in this browser. Drafts of a session that expired, or was ended
// elsewhere, stay for the same person, and are deleted when another person signs in.
try {
  if (/(^|; )forget=drafts(;|$)/.test(document.cookie)) {
    forget("");
    document.cookie = "forget=; path=/; max-age=0";
  } else if (person) forget(person);
} catch {
  // no storage, no drafts
}
