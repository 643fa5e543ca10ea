// Sending what was written. Words that the requester reads are held here for five seconds, in which they can be taken
// back; when the page is left they are sent at once. Until the desk has accepted a message this browser keeps it, with
// the key of its form: sent twice, it arrives once.
import { all, keep, kept, key } from "./drafts.js";
import { empty, fault, fieldOf, giveBack, restoreDrafts } from "./panel-draft.js";
import { answered, keepStill } from "./panel-live.js";
import { left, say, unreached } from "./panel.js";

const $ = (selector, within = document) => within.querySelector(selector);
const delay = 5000; // milliseconds
const recent = 60_000; // for so long after a page was left, its messages are sent again by the next page
const most = 60_000; // bytes that a browser sends for a page that is being left

const held = new Map(); // messages by key, the newest last
const posting = new Map(); // promises by message, of whether it was accepted
const following = new WeakMap(); // by message, what goes on once it is accepted

let leaving = false; // the page: what is under way fails then, for its script alone

const park = (message) => keep(key("sending", message.once), message);
const unpark = (message) => keep(key("sending", message.once), null);

// take makes a message of what stands in a form, and empties the form.
function take(form, by) {
  const field = fieldOf(form), { number, box, kind, sending } = form.dataset;
  if (!field.value.trim()) return say("There is nothing to send yet.", true);
  const unfilled = form.dataset.placeholders?.split(" ").find((name) => field.value.includes(`{{${name}}}`));
  if (unfilled) return fault(form, `It still contains {{${unfilled}}}; replace it before you send.`); // the desk would refuse it
  const message = {
    number, box, kind, sending, words: field.value, caret: [field.selectionStart, field.selectionEnd],
    once: form.elements.once.value, action: form.getAttribute("action"), body: new URLSearchParams(new FormData(form, by)).toString(),
    page: location.pathname + location.search,
  };
  empty(form);
  $("#ticket-body").focus({ preventScroll: true });
  if (box === "note") return post(message);
  for (const other of held.values()) if (other.number === number) post(other); // in the order in which they were written
  hold(message);
}

function hold(message) {
  message.until = Date.now() + delay;
  park(message);
  held.set(message.once, message);
  message.timer = setTimeout(post, delay, message);
  show();
}

// release ends the time in which a message can be taken back.
function release(message) {
  clearTimeout(message.timer);
  held.delete(message.once);
  show();
}

function undo(message) {
  release(message);
  unpark(message);
  say("Undone. Nothing was sent.");
  if (giveBack(message, "", true)) return;
  const link = $(`.item-link[data-number="${CSS.escape(message.number)}"]`);
  link ? link.click() : location.assign(message.page);
}

// show lists what can still be taken back, the newest first.
function show() {
  const list = $("#sending"), lost = list.contains(document.activeElement);
  list.replaceChildren(...[...held.values()].reverse().map((message) => {
    const line = document.createElement("p"), button = document.createElement("button"), hint = document.createElement("kbd");
    hint.textContent = "z";
    hint.setAttribute("aria-hidden", "true");
    button.type = "button";
    button.className = "small secondary";
    button.dataset.do = `Undo: ${message.sending} (${message.number})`;
    button.setAttribute("aria-keyshortcuts", "z");
    button.setAttribute("aria-label", `Undo ${message.sending.toLowerCase()} (${message.number})`);
    button.textContent = "Undo";
    button.addEventListener("click", () => undo(message));
    line.append(`${message.sending} (${message.number})… `, hint, button);
    return line;
  }));
  if (lost && !list.contains(document.activeElement)) $("#ticket-body")?.focus({ preventScroll: true });
}

// post sends a message now, and returns a promise of whether it was accepted.
function post(message) {
  const promise = posting.get(message) ?? deliver(message).finally(() => posting.delete(message));
  posting.set(message, promise);
  return promise;
}

async function deliver(message) {
  release(message);
  message.posted = Date.now();
  park(message);
  let answer, text;
  try {
    answer = await fetch(message.action, {
      method: "POST", headers: { "HX-Request": "true", "HX-Current-URL": location.href },
      body: new URLSearchParams(message.body), keepalive: message.body.length < most,
    });
    text = await answer.text();
  } catch {
    await new Promise((over) => setTimeout(over, 1000)); // a browser may give requests up just before it leaves their page
    return leaving ? false : failed(message, unreached); // the next page asks again
  }
  const page = new DOMParser().parseFromString(text, "text/html");
  if (answer.status === 401) return failed(message, "You have been signed out. Sign in again in another tab; what you typed is saved.");
  if (!answer.ok) return failed(message, sentence($("h1 + p", page)) || "That failed. What you typed is saved.");
  return answer.headers.get("HX-Trigger")?.includes("desk:sent") ? accepted(message, page) : refused(message, page);
}

const sentence = (element) => element?.textContent.trim().replace(/[^.!?]$/, "$&.") ?? "";
const told = '[hx-swap-oob="innerHTML:#said"]'; // what became of a message, in the answer to it
const open = (message) => $("#ticket")?.dataset.number === message.number;

function accepted(message, page) {
  unpark(message);
  left(message.number);
  for (const next of following.get(message) ?? []) next();
  if (open(message)) answered(page, true);
  else say(`${message.number}: ${sentence($(told, page))}`);
  return true;
}

// refused puts the words back into the form that the desk answers with: it knows what may be done about the reason.
function refused(message, page) {
  const { kind } = message, anew = $(`#write-${kind}`, page);
  const why = sentence($(".problem", anew ?? page) ?? $(told, page));
  if (anew) {
    message.tried = anew.elements.once.value === message.once;
    fieldOf(anew).value = "";
  }
  if (!open(message)) return returned(message, why);
  const here = $(`#write-${kind}`);
  if (here && anew) {
    fieldOf(anew).value = fieldOf(here).value;
    here.replaceWith(anew);
  } else if (anew) {
    $("#composer").replaceWith($("#composer", page)); // the ticket no longer offers this kind, but for these words
    restoreDrafts(false);
  }
  answered(page, false);
  return returned(message, why);
}

// failed is when the desk did not say what became of a message: it may have arrived.
function failed(message, why) {
  message.tried = true;
  return returned(message, why);
}

function returned(message, why) {
  unpark(message);
  const form = giveBack(message, why);
  if (!form) say(`${message.number}: ${why}`, true);
  else if (form.offsetParent === null || message.tried) say(why, true);
  return false;
}

// sendAll sends what is held, and returns a promise of whether everything was accepted.
async function sendAll() {
  for (const message of [...held.values()]) post(message);
  return (await Promise.all(posting.values())).every(Boolean);
}

// resume looks after what a page left behind. What was sent lately is sent again, for its answer; anything else is a
// draft once more, with its key: a window that was suspended may still send it. What another window holds is its own affair.
function resume() {
  for (const at of all("sending")) {
    const message = kept(at), now = Date.now();
    if (!message) keep(at, null);
    else if (message.posted && now - message.posted < recent) post(message);
    else if (message.posted || message.until + delay < now) failed(message, "We don't know whether this was sent. If you send it again, it arrives only once.");
  }
}

// beforeCommands lets everything that was written on a ticket arrive before anything else is asked of it.
function beforeCommands(event) {
  const { verb, elt, issueRequest } = event.detail;
  if (verb === "get") return;
  const numbers = elt.id === "bulk" ? [...document.querySelectorAll("#rows input:checked")].map((box) => box.value) : [$("#ticket")?.dataset.number];
  const before = [...held.values(), ...posting.keys()].filter((message) => numbers.includes(message.number));
  if (!before.length) return;
  event.preventDefault();
  let waiting = before.length;
  for (const message of before) {
    following.set(message, [...following.get(message) ?? [], () => { if (--waiting === 0) issueRequest(true); }]);
    keepStill(post(message));
  }
}

// beforeSignOut ends the session once everything is accepted. What was not is shown, and a second try goes through.
function beforeSignOut(event) {
  if (!held.size && !posting.size) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  sendAll().then((done) => {
    if (done) event.target.requestSubmit();
    else say("You are still signed in: a message was not sent. Its text is back in its box.", true);
  });
}

export function startSending() {
  document.addEventListener("submit", (event) => {
    if (event.target.getAttribute("action") === "/sign-out") return beforeSignOut(event);
    if (!event.target.matches("form.write")) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    take(event.target, event.submitter);
  }, true);
  document.addEventListener("htmx:confirm", beforeCommands);
  document.addEventListener("visibilitychange", () => { if (document.hidden) sendAll(); });
  addEventListener("pagehide", () => { leaving = true; sendAll(); });
  addEventListener("pageshow", () => { leaving = false; });
  addEventListener("beforeunload", (event) => {
    if (![...held.values()].some((message) => message.body.length >= most)) return;
    sendAll(); // too long to be sent after the page
    event.preventDefault();
  });
  resume();
}
