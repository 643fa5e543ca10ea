// Keeps an open desk fresh: the server says which ticket changed, and what is shown of it is asked for again. What is
// typed, where it is scrolled and what has the focus stay as they are.
import { back, lost } from "./away.js";
import { reached, say, settleList } from "./panel.js";
import { fieldOf, giveBack, restoreDrafts, written } from "./panel-draft.js";

const $ = (selector, within = document) => within.querySelector(selector);
const listEvery = 1000, presentEvery = 15_000, hiddenFor = 30_000;

let source, again, hidden;

const ticket = () => $("#ticket[data-number]");

// ask swaps what an answer brings, out of band. One is asked after the other: of those that wait at the same element
// htmx would only keep the last.
let asking = Promise.resolve();
function ask(address, target) {
  asking = asking.then(() => htmx.ajax("GET", address, { source: document.body, target, swap: "none", headers: { "X-Live": "1" } })).catch(() => {});
}

let listTimer = null, listLast = 0;
function refreshList() {
  if (listTimer) return;
  listTimer = setTimeout(() => {
    listTimer = null;
    listLast = Date.now();
    const list = $("#list");
    if (list) ask(list.dataset.address, "#rows");
  }, Math.max(60, listLast + listEvery - Date.now()));
}

let ticketTimer = null;
function refreshTicket(part = "live") {
  if (ticketTimer && part !== "live") return;
  clearTimeout(ticketTimer);
  ticketTimer = setTimeout(() => {
    ticketTimer = null;
    const open = ticket();
    if (open) ask(`${open.dataset.live}&part=${part}`, "#ticket-head");
  }, 60);
}

function everything() {
  refreshList();
  refreshTicket();
}

function connect() {
  source?.close();
  source = new EventSource("/desk/live");
  source.addEventListener("open", () => {
    back();
    reached();
    if (again) everything();
    again = true;
  });
  source.addEventListener("ticket", (event) => {
    refreshList();
    if (event.data === ticket()?.dataset.number) refreshTicket();
  });
  source.addEventListener("presence", (event) => {
    if (event.data === ticket()?.dataset.number) refreshTicket("presence");
  });
  source.addEventListener("everything", everything);
  source.addEventListener("error", () => {
    lost();
    if (source.readyState !== EventSource.CLOSED) return; // it comes back by itself
    refreshList(); // leads to the sign-in, when that is why
    setTimeout(() => { if (!document.hidden) connect(); }, 3000);
  });
}

// A browser keeps few connections to one place: a page that nobody looks at gives its own back.
function visible() {
  clearTimeout(hidden);
  if (document.hidden) {
    hidden = setTimeout(() => { source?.close(); source = null; }, hiddenFor);
    return;
  }
  if (!source) connect();
  present();
}

// Who looks and who writes. Having gone is told when the page or the ticket is left.
let told = "";
export function present(gone = false) {
  const open = ticket(), address = open?.dataset.presence ?? "";
  if (told && (gone || told !== address)) navigator.sendBeacon(told, new URLSearchParams({ state: "gone" }));
  told = gone ? "" : address;
  if (gone || !address || document.hidden) return;
  fetch(address, { method: "POST", body: new URLSearchParams({ state: written() ? "writing" : "looking" }), keepalive: true }).catch(() => {});
}

// Before a part is replaced, what it held is noted; afterwards it is put back.
let kept = null, live = false, spoke = false, pressed = false, still = 0, missed = false, sent = "";
function before(event) {
  const { target, fragment } = event.detail, active = document.activeElement;
  if (live && (pressed || still)) { // it comes when the button is up: what a click began on has to be there when it ends
    event.detail.shouldSwap = false;
    missed = true;
    return;
  }
  if (target.id === "composer" && composing(target, active)) {
    event.detail.shouldSwap = false; // it comes when the hands are off
    target.dataset.status = "";
    return;
  }
  const of = $("[data-of]", fragment)?.dataset.of;
  if (of && of !== ticket()?.dataset.number) { // it comes late: another ticket has been opened since it was asked for
    if (target.id === "said") {
      giveReasonBack(fragment);
      $("span", fragment).prepend(`${of}: `);
    } else event.detail.shouldSwap = false;
    return;
  }
  if (target.id === "said") giveReasonBack(fragment);
  if (target.id === "said" && $("[data-beside]", fragment)) { // the composer says it
    event.detail.shouldSwap = false;
    say("");
    return;
  }
  const inside = target.contains(active) && active !== document.body;
  if (live && inside && active.matches("input:not([type=checkbox]), select, textarea")) {
    event.detail.shouldSwap = false; // somebody is choosing or typing there: it comes when they are done
    active.addEventListener("blur", () => refreshTicket(), { once: true });
    return;
  }
  if (target.id === "ticket-head") keepReasons(target, fragment);
  for (const open of target.querySelectorAll("details[open][id]")) fragment.querySelector(`#${CSS.escape(open.id)}`)?.setAttribute("open", "");
  for (const box of target.querySelectorAll("#rows input:checked, .item > input:checked")) {
    fragment.querySelector(`.item > input[value="${CSS.escape(box.value)}"]`)?.setAttribute("checked", "");
  }
  kept = {
    id: target.id, top: target.scrollTop, inside, focus: active?.id, number: active?.dataset?.number, value: active?.value,
    end: spoke || showsNewest(),
  };
}

// What is typed beside an escalation outlives what replaces its form, but for the answer to that form. Where the
// escalation is over, it becomes the draft of a note.
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
function giveReasonBack(fragment) {
  const line = $("[data-reason]", fragment);
  if (line && (line.dataset.of !== ticket()?.dataset.number || "asNote" in line.dataset)) noteReason(line.dataset.of, line.dataset.reason, line.textContent);
}
const noteReason = (number, words, why) => giveBack({ number, box: "note", kind: "note", words }, why);

function after(event) {
  if (!kept || event.detail.target?.id !== kept.id) return;
  const now = document.getElementById(kept.id), { end } = kept;
  if (now) now.scrollTop = kept.top;
  if (kept.id === "conversation") {
    if (end) newest();
    spoke = false;
  }
  if (now && kept.inside && !now.contains(document.activeElement)) {
    const same = kept.focus ? document.getElementById(kept.focus)
      : kept.number ? $(`.item-link[data-number="${CSS.escape(kept.number)}"]`)
      : kept.id === "rows" && kept.value ? $(`.item > input[value="${CSS.escape(kept.value)}"]`) : null;
    (same ?? (kept.id === "rows" ? now : $("#ticket-body")))?.focus({ preventScroll: true });
  }
  if (kept.id === "rows") settleList();
  if (kept.id === "composer") restoreDrafts(false);
  kept = null;
}

// composing reports whether somebody writes in the composer, or is just choosing there: a click that begins on one
// element and ends on another that has replaced it is none.
const composing = (composer, active) => composer.contains(active) || written() || pressed;

// The composer offers what the ticket's status allows. It is only replaced when nothing in it can be lost.
function fitComposer() {
  const gate = $("#gate"), composer = $("#composer");
  if (!gate || gate.dataset.status === composer.dataset.status || composing(composer, document.activeElement)) return;
  composer.dataset.status = gate.dataset.status;
  refreshComposer();
}
function release() {
  if (pressed || still) return;
  if (missed) everything();
  missed = false;
  fitComposer();
}

// keepStill holds updates back until a promise settles: a form whose request waits for it has to be there then.
export function keepStill(until) {
  still++;
  until.finally(() => { still--; release(); });
}

function refreshComposer() {
  const open = ticket(), mode = $(".mode input:checked")?.value ?? "";
  if (open) ask(`${open.dataset.live}&part=composer&mode=${mode}`, "#composer");
}

// showsNewest reports whether whoever reads has arrived at the end of the conversation. More may stand below it.
function showsNewest() {
  const line = $("#conversation > :last-child"), composer = $("#composer");
  return line && composer && line.getBoundingClientRect().bottom < composer.getBoundingClientRect().top + 40;
}

// answered shows what a message led to. Of the composer only those forms are replaced that hold no words.
export function answered(page, taken) {
  const composer = $("#composer", page);
  for (const form of composer?.querySelectorAll("form.write") ?? []) {
    const here = document.getElementById(form.id);
    if (here && !here.contains(document.activeElement) && !fieldOf(here).value && !fieldOf(form).value) here.replaceWith(form);
  }
  composer?.remove();
  spoke = taken; // who has written wants to see it
  live = false;
  sent = "";
  htmx.swap(document.body, page.body.innerHTML, { swapStyle: "none", swapDelay: 0, settleDelay: 0 });
  fitComposer();
}

export function newest() {
  const line = $("#conversation > :last-child");
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
  document.addEventListener("htmx:oobBeforeSwap", before);
  document.addEventListener("htmx:oobAfterSwap", after);
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
  addEventListener("pageshow", (event) => { if (event.persisted) { connect(); everything(); } });
  setInterval(present, presentEvery);
  connect();
  present();
  newest();
}

// opened is when a ticket has taken the place of another, or of none.
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
