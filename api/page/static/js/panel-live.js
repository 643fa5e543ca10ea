// Keeps the panel current: the server announces which ticket changed, and this script fetches the parts that show it.
// Typed text, scroll positions and the focus are preserved.
import { back, lost } from "./away.js";
import { reached, say, settleList } from "./panel.js";
import { fieldOf, restoreMessage, restoreDrafts, written } from "./panel-draft.js";

const $ = (selector, within = document) => within.querySelector(selector);
const listEvery = 1000, presentEvery = 15_000, hiddenFor = 30_000;

let source, connected, hidden;

const ticket = () => $("#ticket[data-number]");

// refresh fetches an address and swaps the parts of the response out of band. Requests run one after the other, because
// htmx keeps only the last of those queued at the same element.
let queue = Promise.resolve();
function refresh(address, target) {
  queue = queue.then(() => htmx.ajax("GET", address, { source: document.body, target, swap: "none", headers: { "X-Live": "1" } })).catch(() => {});
}

let listTimer = null, listLast = 0;
function refreshList() {
  if (listTimer) return;
  listTimer = setTimeout(() => {
    listTimer = null;
    listLast = Date.now();
    const list = $("#list");
    if (list) refresh(list.dataset.address, "#rows");
  }, Math.max(60, listLast + listEvery - Date.now()));
}

let ticketTimer = null;
function refreshTicket(part = "live") {
  if (ticketTimer && part !== "live") return;
  clearTimeout(ticketTimer);
  ticketTimer = setTimeout(() => {
    ticketTimer = null;
    const open = ticket();
    if (open) refresh(`${open.dataset.live}&part=${part}`, "#ticket-head");
  }, 60);
}

function refreshAll() {
  refreshList();
  refreshTicket();
}

function connect() {
  source?.close();
  source = new EventSource("/desk/live");
  source.addEventListener("open", () => {
    back();
    reached();
    if (connected) refreshAll();
    connected = true;
  });
  source.addEventListener("ticket", (event) => {
    refreshList();
    if (event.data === ticket()?.dataset.number) refreshTicket();
  });
  source.addEventListener("presence", (event) => {
    if (event.data === ticket()?.dataset.number) refreshTicket("presence");
  });
  source.addEventListener("everything", refreshAll);
  source.addEventListener("error", () => {
    lost();
    if (source.readyState !== EventSource.CLOSED) return; // the browser reconnects
    refreshList(); // redirects to the sign-in page if the session has ended
    setTimeout(() => { if (!document.hidden) connect(); }, 3000);
  });
}

// Browsers limit the connections to one origin, so a page that has been hidden for a while closes its stream.
function visible() {
  clearTimeout(hidden);
  if (document.hidden) {
    hidden = setTimeout(() => { source?.close(); source = null; }, hiddenFor);
    return;
  }
  if (!source) connect();
  present();
}

// present reports to the server whether the user is viewing or writing on the open ticket, and when they leave it.
let reported = "";
export function present(gone = false) {
  const open = ticket(), address = open?.dataset.presence ?? "";
  if (reported && (gone || reported !== address)) navigator.sendBeacon(reported, new URLSearchParams({ state: "gone" }));
  reported = gone ? "" : address;
  if (gone || !address || document.hidden) return;
  fetch(address, { method: "POST", body: new URLSearchParams({ state: written() ? "writing" : "looking" }), keepalive: true }).catch(() => {});
}

let saved = null; // scroll position and focus of the part that is being replaced
let live = false; // the response belongs to a live update
let replied = false; // the user has just sent a message
let pressed = false; // a pointer button is down
let holds = 0; // requests that wait for forms of this page
let missed = false; // an update was skipped because of pressed or holds
let sent = ""; // the address to which the current response's form was sent

// beforeSwap skips a replacement that would disturb the user, and otherwise saves the state that afterSwap restores.
function beforeSwap(event) {
  const { target, fragment } = event.detail, active = document.activeElement;
  const skip = () => { event.detail.shouldSwap = false; };
  const inside = target.contains(active) && active !== document.body;
  if (postponed(target, active, inside)) return skip();
  const of = $("[data-of]", fragment)?.dataset.of;
  const late = of && of !== ticket()?.dataset.number; // the user has opened another ticket since the request
  if (target.id === "said") {
    restoreReason(fragment);
    if (late) $("span", fragment).prepend(`${of}: `);
    else if ($("[data-beside]", fragment)) { // the composer shows it
      skip();
      say("");
    }
    return;
  }
  if (late) return skip();
  if (target.id === "ticket-head") keepReasons(target, fragment);
  for (const open of target.querySelectorAll("details[open][id], .said details[open]")) replacementOf(open, fragment)?.setAttribute("open", "");
  for (const box of target.querySelectorAll("#rows input:checked, .item > input:checked")) {
    fragment.querySelector(`.item > input[value="${CSS.escape(box.value)}"]`)?.setAttribute("checked", "");
  }
  saved = {
    id: target.id, top: target.scrollTop, inside, focus: active?.id, number: active?.dataset?.number, value: active?.value,
    end: replied || showsNewest(),
  };
}

// replacementOf finds the counterpart of a details element. One of a message has no ID: it has the same place in its line.
function replacementOf(details, fragment) {
  if (details.id) return fragment.querySelector(`#${CSS.escape(details.id)}`);
  const line = details.closest("[id]"), all = (within) => [...within?.querySelectorAll("details") ?? []];
  return all(fragment.querySelector(`#${CSS.escape(line.id)}`))[all(line).indexOf(details)];
}

// postponed reports whether the user is working in a part, and if so makes sure that it is fetched again afterwards.
function postponed(target, active, inside) {
  if (live && (pressed || holds)) missed = true; // a click needs its element until the button is up
  else if (target.id === "composer" && composing(target, active)) target.dataset.status = "";
  else if (inside && (live || elsewhere(target, active)) && active.matches("input:not([type=checkbox]), select, textarea")) {
    active.addEventListener("blur", () => refreshTicket(), { once: true });
  } else return false;
  return true;
}

// elsewhere reports whether the user is in a form beside the conversation that is not the one whose response this is.
function elsewhere(target, active) {
  return target.id === "ticket-side" && active.form?.getAttribute("action") !== sent;
}

// keepReasons copies input in an escalation's form to the form that replaces it, unless that responds to this very form.
// If the escalation has ended, the reason becomes the draft of a note.
const reasons = ".escalation :is(input[name=reason], select)";
function keepReasons(head, fragment) {
  for (const field of head.querySelectorAll(reasons)) {
    if (!field.value || field.form.getAttribute("action") === sent) continue;
    const now = fragment.querySelector(`#${field.id}`);
    if (now?.matches("input")) now.setAttribute("value", field.value);
    else if (now) [...now.options].find((option) => option.value === field.value)?.setAttribute("selected", "");
    else if (field.matches("input")) noteReason(ticket().dataset.number, field.value, "The escalation has ended. The reason that you were writing is saved here.");
  }
}
function restoreReason(fragment) {
  const line = $("[data-reason]", fragment);
  if (line && (line.dataset.of !== ticket()?.dataset.number || "asNote" in line.dataset)) noteReason(line.dataset.of, line.dataset.reason, line.textContent);
}
const noteReason = (number, words, why) => restoreMessage({ number, box: "note", kind: "note", words }, why);

function afterSwap(event) {
  if (!saved || event.detail.target?.id !== saved.id) return;
  const now = document.getElementById(saved.id), { end } = saved;
  if (now) now.scrollTop = saved.top;
  if (saved.id === "conversation") {
    if (end) newest();
    replied = false;
  }
  if (now && saved.inside && !now.contains(document.activeElement)) {
    const same = saved.focus ? document.getElementById(saved.focus)
      : saved.number ? $(`.item-link[data-number="${CSS.escape(saved.number)}"]`)
      : saved.id === "rows" && saved.value ? $(`.item > input[value="${CSS.escape(saved.value)}"]`) : null;
    (same ?? (saved.id === "rows" ? now : $("#ticket-body")))?.focus({ preventScroll: true });
  }
  if (saved.id === "rows") settleList();
  if (saved.id === "composer") restoreDrafts(false);
  saved = null;
}

// composing reports whether the composer is in use, including by a click that has begun: a click that ends on another
// element than it began on is lost.
const composing = (composer, active) => composer.contains(active) || written() || pressed;

// fitComposer fetches a new composer if the ticket's status allows other actions now and the composer is not in use.
function fitComposer() {
  const status = $("#composer-status"), composer = $("#composer");
  if (!status || status.dataset.status === composer.dataset.status || composing(composer, document.activeElement)) return;
  composer.dataset.status = status.dataset.status;
  refreshComposer();
}
function release() {
  if (pressed || holds) return;
  if (missed) refreshAll();
  missed = false;
  fitComposer();
}

// holdUpdates delays updates until a promise settles, so that a form whose request waits for it stays in the page.
export function holdUpdates(until) {
  holds++;
  until.finally(() => { holds--; release(); });
}

function refreshComposer() {
  const open = ticket(), mode = $(".mode input:checked")?.value ?? "";
  if (open) refresh(`${open.dataset.live}&part=composer&mode=${mode}`, "#composer");
}

// showsNewest reports whether the last message is in view, and the user is not working beside the conversation: scrolling to it
// would move what they are about to click or fill in.
function showsNewest() {
  const line = $("#conversation > :last-child"), composer = $("#composer"), body = $("#ticket-body");
  if (!line || !composer || $("#ticket-side")?.contains(document.activeElement)) return false;
  const { bottom } = line.getBoundingClientRect();
  return bottom < composer.getBoundingClientRect().top + 40 && bottom > (body?.getBoundingClientRect().top ?? 0);
}

// showResponse shows the response to a message. It replaces only those forms of the composer that contain no text.
export function showResponse(page, accepted) {
  const composer = $("#composer", page);
  for (const form of composer?.querySelectorAll("form.write") ?? []) {
    const here = document.getElementById(form.id);
    if (here && !here.contains(document.activeElement) && !fieldOf(here).value && !fieldOf(form).value) here.replaceWith(form);
  }
  composer?.remove();
  replied = accepted; // scrolls to the new message
  live = false;
  sent = "";
  htmx.swap(document.body, page.body.innerHTML, { swapStyle: "none", swapDelay: 0, settleDelay: 0 });
  fitComposer();
}

function newest() {
  const line = $("#conversation > :last-child"), composer = $("#composer");
  const covers = composer && getComputedStyle(composer).position === "sticky";
  document.documentElement.style.scrollPaddingBottom = covers ? `${composer.offsetHeight}px` : "";
  line?.scrollIntoView({ block: "end" });
}

export function startLive() {
  document.addEventListener("htmx:beforeOnLoad", reached);
  document.addEventListener("htmx:beforeOnLoad", (event) => {
    const { headers, verb, path } = event.detail.requestConfig ?? {};
    live = headers?.["X-Live"] === "1";
    sent = verb === "post" ? path : "";
  });
  document.addEventListener("pointerdown", () => { pressed = true; }, true);
  for (const name of ["pointerup", "pointercancel"]) {
    addEventListener(name, () => setTimeout(() => { pressed = false; release(); }), true);
  }
  document.addEventListener("focusout", (event) => { if (event.target.closest?.("#composer")) setTimeout(fitComposer); });
  document.addEventListener("htmx:oobBeforeSwap", beforeSwap);
  document.addEventListener("htmx:oobAfterSwap", afterSwap);
  document.addEventListener("htmx:afterSettle", () => fitComposer());
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target?.id !== "ticket" && event.detail.elt?.id !== "ticket") return;
    opened();
  });
  document.addEventListener("htmx:historyRestore", () => { settleList(); opened(); });
  document.addEventListener("desk:changed", (event) => {
    for (const box of document.querySelectorAll("#rows input:checked")) box.checked = event.detail.refused.includes(box.value);
    for (const select of document.querySelectorAll(".bulk select")) select.value = "";
    listLast = 0;
    refreshList();
    refreshTicket();
  });
  document.addEventListener("visibilitychange", visible);
  addEventListener("pagehide", () => present(true));
  addEventListener("pageshow", (event) => { if (event.persisted) { connect(); refreshAll(); } });
  setInterval(present, presentEvery);
  connect();
  present();
  newest();
}

// opened prepares the page after another ticket was opened.
function opened() {
  settleList();
  const wanted = restoreDrafts();
  newest();
  present();
  const subject = $("#ticket-body");
  (wanted ? fieldOf(wanted) : subject)?.focus({ preventScroll: true });
  if (subject) say("");
  if (getComputedStyle($("#list")).display === "none") scrollTo(0, 0);
}
