// Sends messages. A message to the requester is held for five seconds, in which it can be undone; leaving the page sends
// it at once. The browser stores a message with its form's idempotency key until the server has accepted it, so that it
// can be sent again without arriving twice.
import { attachedTo } from "./attach.js";
import { all, key, load, save } from "./drafts.js";
import { empty, fault, fieldOf, restoreMessage, restoreDrafts } from "./panel-draft.js";
import { holdUpdates, showResponse } from "./panel-live.js";
import { left, say, unreached } from "./panel.js";

const $ = (selector, within = document) => within.querySelector(selector);
const delay = 5000; // milliseconds
const retryFor = 60_000; // milliseconds after posting in which the next page posts a message again
const keepaliveLimit = 60_000; // bytes that a browser sends for a page that is being left

const held = new Map(); // messages by key, the newest last
const posting = new Map(); // promises by message, of whether it was accepted
const afterAccepted = new WeakMap(); // functions to call once a message is accepted, by message

let leaving = false; // the page is being left: requests fail in this script although the browser completes them

const park = (message) => save(key("sending", message.key), message);
const unpark = (message) => save(key("sending", message.key), null);

// submit sends or holds the text of a form and empties the form.
function submit(form, by) {
  const field = fieldOf(form), { number, box, kind, sending } = form.dataset;
  const files = attachedTo(form);
  if (!field.value.trim() && !files.length) return say("There is nothing to send yet.", true);
  const unfilled = form.dataset.placeholders?.split(" ").find((name) => field.value.includes(`{{${name}}}`));
  if (unfilled) return fault(form, `It still contains {{${unfilled}}}; replace it before you send.`); // the server would refuse it
  const message = {
    number, box, kind, sending, words: field.value, files, caret: [field.selectionStart, field.selectionEnd],
    key: form.elements.idempotency_key.value, action: form.getAttribute("action"), body: new URLSearchParams(new FormData(form, by)).toString(),
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
  held.set(message.key, message);
  message.timer = setTimeout(post, delay, message);
  show();
}

// release ends the time in which a message can be undone.
function release(message) {
  clearTimeout(message.timer);
  held.delete(message.key);
  show();
}

function undo(message) {
  release(message);
  unpark(message);
  say("Undone. Nothing was sent.");
  if (restoreMessage(message, "", true)) return;
  const link = $(`.item-link[data-number="${CSS.escape(message.number)}"]`);
  link ? link.click() : location.assign(message.page);
}

// show lists the messages that can still be undone, the newest first.
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
      body: new URLSearchParams(message.body), keepalive: message.body.length < keepaliveLimit,
    });
    text = await answer.text();
  } catch {
    await new Promise((over) => setTimeout(over, 1000)); // a browser may abort requests just before it leaves the page
    return leaving ? false : failed(message, unreached); // the next page posts it again
  }
  const page = new DOMParser().parseFromString(text, "text/html");
  if (answer.status === 401) return failed(message, "You have been signed out. Sign in again in another tab; what you typed is saved.");
  if (!answer.ok) return failed(message, sentence($("h1 + p", page)) || "That failed. What you typed is saved.");
  return answer.headers.get("HX-Trigger")?.includes("desk:sent") ? accepted(message, page) : refused(message, page);
}

const sentence = (element) => element?.textContent.trim().replace(/[^.!?]$/, "$&.") ?? "";
const result = '[hx-swap-oob="innerHTML:#said"]'; // selects the result of a message in the response
const open = (message) => $("#ticket")?.dataset.number === message.number;

function accepted(message, page) {
  unpark(message);
  left(message.number);
  for (const next of afterAccepted.get(message) ?? []) next();
  if (open(message)) showResponse(page, true);
  else say(`${message.number}: ${sentence($(result, page))}`);
  return true;
}

// refused restores the text in the form of the response, which offers what can be done about the reason.
function refused(message, page) {
  const { kind } = message, anew = $(`#write-${kind}`, page);
  const why = sentence($(".problem", anew ?? page) ?? $(result, page));
  if (anew) {
    message.tried = anew.elements.idempotency_key.value === message.key;
    fieldOf(anew).value = "";
  }
  if (!open(message)) return returned(message, why);
  const here = $(`#write-${kind}`);
  if (here && anew) {
    fieldOf(anew).value = fieldOf(here).value;
    here.replaceWith(anew);
  } else if (anew) {
    $("#composer").replaceWith($("#composer", page)); // the ticket offers this kind only for this text
    restoreDrafts(false);
  }
  showResponse(page, false);
  return returned(message, why);
}

// failed restores a message whose result is unknown: it may have been accepted.
function failed(message, why) {
  message.tried = true;
  return returned(message, why);
}

function returned(message, why) {
  unpark(message);
  const form = restoreMessage(message, why);
  if (!form) say(`${message.number}: ${why}`, true);
  else if (form.offsetParent === null || message.tried) say(why, true);
  return false;
}

// sendAll sends all held messages, and returns a promise of whether everything was accepted.
async function sendAll() {
  for (const message of [...held.values()]) post(message);
  return (await Promise.all(posting.values())).every(Boolean);
}

// resume handles messages that an earlier page stored. Recently posted ones are posted again to learn their result; others
// become drafts that keep their key, as a suspended window may still send them. Messages held by another window are left
// to that window.
function resume() {
  for (const at of all("sending")) {
    const message = load(at), now = Date.now();
    if (!message) save(at, null);
    else if (message.posted && now - message.posted < retryFor) post(message);
    else if (message.posted || message.until + delay < now) failed(message, "We don't know whether this was sent. If you send it again, it arrives only once.");
  }
}

// beforeCommands delays other commands on a ticket until its messages have been accepted.
function beforeCommands(event) {
  const { verb, elt, issueRequest } = event.detail;
  if (verb === "get") return;
  const numbers = elt.id === "bulk" ? [...document.querySelectorAll("#rows input:checked")].map((box) => box.value) : [$("#ticket")?.dataset.number];
  const before = [...held.values(), ...posting.keys()].filter((message) => numbers.includes(message.number));
  if (!before.length) return;
  event.preventDefault();
  let waiting = before.length;
  for (const message of before) {
    afterAccepted.set(message, [...afterAccepted.get(message) ?? [], () => { if (--waiting === 0) issueRequest(true); }]);
    holdUpdates(post(message));
  }
}

// beforeSignOut signs out once every message is accepted. Otherwise it reports the failure; a second attempt succeeds.
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
    submit(event.target, event.submitter);
  }, true);
  document.addEventListener("htmx:confirm", beforeCommands);
  document.addEventListener("visibilitychange", () => { if (document.hidden) sendAll(); });
  addEventListener("pagehide", () => { leaving = true; sendAll(); });
  addEventListener("pageshow", () => { leaving = false; });
  addEventListener("beforeunload", (event) => {
    if (![...held.values()].some((message) => message.body.length >= keepaliveLimit)) return;
    sendAll(); // too long to be sent while leaving the page
    event.preventDefault();
  });
  resume();
}
