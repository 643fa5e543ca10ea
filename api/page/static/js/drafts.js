// What people are writing, and what agents have sent that the desk has not accepted yet, as this browser keeps it. Every
// key names the person: nobody is shown another person's words.

const kinds = ["draft", "sending"];

export const person = document.documentElement.dataset.person ?? "";

// key is what a record of the signed-in person is kept under.
export const key = (kind, ...rest) => [kind, person, ...rest].join("/");

// keep reports whether the browser keeps the record: a full or forbidden storage doesn't, and sending works without.
export function keep(at, record) {
  try {
    if (record) localStorage.setItem(at, JSON.stringify(record));
    else localStorage.removeItem(at);
    return true;
  } catch {
    return false;
  }
}

export function kept(at) {
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

// The server sets this cookie when somebody signs out in this browser. The words of a session that expired, or was ended
// elsewhere, wait for the same person, and are deleted when somebody else signs in.
try {
  if (/(^|; )forget=drafts(;|$)/.test(document.cookie)) {
    forget("");
    document.cookie = "forget=; path=/; max-age=0";
  } else if (person) forget(person);
} catch {
  // no storage, no drafts
}
