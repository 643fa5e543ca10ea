// The agents' panel, which works without scripts, too. The pages declare the shortcuts (aria-keyshortcuts) and the
// palette's commands (data-do); this script implements them.
import { startLive } from "./panel-live.js";
import { startPalette } from "./panel-palette.js";
import { startDrafts } from "./panel-draft.js";
import { startSending } from "./panel-send.js";
import { startCanned } from "./panel-canned.js";
import { startSeen } from "./seen.js";
import { toggleTheme } from "./app.js";

const root = document.documentElement;
root.classList.add("scripts");

const $ = (selector, within = document) => within.querySelector(selector);
const shown = (element) => element && element.offsetParent !== null;
// An element in a dialog may keep the focus for a moment after the dialog is closed.
const typing = (element) => element?.matches?.("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]") &&
  !element.closest("dialog:not([open])");

// Folded columns are remembered in this browser.
function fold(name, folded) {
  root.classList.toggle(`fold-${name}`, folded);
  localStorage.setItem(`fold-${name}`, folded ? "1" : "");
  for (const button of document.querySelectorAll(`[data-fold="${name}"]`)) button.setAttribute("aria-pressed", folded);
}
for (const name of ["queues", "list"]) if (localStorage.getItem(`fold-${name}`)) fold(name, true);

// say shows a status message, which disappears by itself; errors stay longer.
export function say(text, bad = false) {
  const said = $("#said");
  if (!said) return;
  const line = document.createElement("span");
  line.className = bad ? "bad" : "";
  line.textContent = text;
  said.replaceChildren(line);
}
if ($("#said")) {
  let timer;
  new MutationObserver(() => {
    clearTimeout(timer);
    timer = setTimeout(() => $("#said").replaceChildren(), $("#said .bad") ? 12_000 : 5_000);
  }).observe($("#said"), { childList: true });
}

// Countdowns, as span.go writes them.
function span(seconds) {
  const s = seconds, minute = 60, hour = 3600, day = 86400;
  if (s < minute) return "<1m";
  if (s < hour) return `${Math.floor(s / minute)}m`;
  if (s < day) return `${Math.floor(s / hour)}h ${Math.floor((s % hour) / minute)}m`;
  return s < 10 * day ? `${Math.floor(s / day)}d ${Math.floor((s % day) / hour)}h` : `${Math.floor(s / day)}d`;
}
function age(seconds) {
  if (seconds < 60) return "<1m";
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m`;
  return seconds < 86400 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86400)}d`;
}
const states = ["calm", "soon", "urgent", "late"];
function countDown() {
  for (const due of document.querySelectorAll("[data-due]")) {
    const left = Number(due.dataset.due) - Date.now() / 1000;
    const state = left <= 0 ? "late" : left < 7200 ? "urgent" : left < 86400 ? "soon" : "calm";
    const text = left <= 0 ? `${age(-left)} over` : span(left);
    const words = due.matches("b") ? due : $("b", due), box = due.closest(".due, .clock");
    if (words.textContent !== text) words.textContent = text;
    if (box && !box.classList.contains(state)) {
      box.classList.remove(...states);
      box.classList.add(state);
    }
  }
}
countDown();
setInterval(countDown, 10_000);

// The list: one link is in the tab order, j and k move the focus. place remembers the position of the open ticket, where
// the next ticket is once the open one has left the list.
const links = () => [...document.querySelectorAll("#rows .item-link")];
const openNumber = () => $("#ticket")?.dataset.number;
let place = { number: "", at: -1 }, written = "";
export function settleList() {
  const all = links(), open = openNumber(), at = all.findIndex((link) => link.dataset.number === open);
  if (at >= 0 || place.number !== open) place = { number: open, at };
  const next = all[Math.min(place.at, all.length - 1)], here = document.activeElement;
  const current = all.find((link) => link === here) ?? next ?? all[0];
  if (at < 0 && written === open && next && (here === document.body || here.id === "ticket-body")) next.focus();
  for (const link of all) {
    link.tabIndex = link === current ? 0 : -1;
    if (link.dataset.number === open) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
  countSelected();
}
function move(by) {
  const all = links();
  if (!all.length) return;
  let at = all.indexOf(document.activeElement);
  if (at < 0) at = all.findIndex((link) => link.dataset.number === openNumber());
  if (at < 0 && place.at >= 0) at = by > 0 ? place.at - 1 : place.at; // between its former neighbours
  const next = all[at < 0 && by < 0 ? all.length - 1 : Math.max(0, Math.min(all.length - 1, at + by))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}
// left records that a message was sent on a ticket: if it leaves the list, or has left it before the response arrived, the
// next row gets the focus.
export function left(number) {
  written = number;
  settleList();
}
document.addEventListener("focusin", (event) => {
  if (event.target.matches?.(".item-link")) for (const link of links()) link.tabIndex = link === event.target ? 0 : -1;
});
function countSelected() {
  const n = document.querySelectorAll("#rows input:checked").length, words = $(".bulk-count");
  if (words) words.textContent = n === 1 ? "1 ticket selected" : `${n} tickets selected`;
}
function select() {
  const link = document.activeElement?.closest?.(".item") ? document.activeElement : links().find((l) => l.tabIndex === 0);
  link?.closest(".item")?.querySelector("input").click();
}

// doIt activates an element, as a click or the keyboard would.
export function doIt(element) {
  if (element.matches("input[type=radio]")) {
    element.checked = true;
    element.dispatchEvent(new Event("change", { bubbles: true }));
    return;
  }
  if (element.matches("input, select, textarea")) return element.focus();
  if (element.id === "back") return back(element);
  element.click();
  if (element.matches(".side summary") && element.parentElement.open) element.scrollIntoView({ block: "start" });
  if (element.matches("#filters > summary") && element.parentElement.open) $("#filters select").focus();
  if (element.matches("summary:has(+ form)") && element.parentElement.open) $("input:not([type=hidden]), select", element.nextElementSibling)?.focus();
}

function shortcut(event) {
  if (event.defaultPrevented || event.isComposing) return;
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && event.target.closest?.("form.write")) {
    event.preventDefault();
    const form = event.target.closest("form.write");
    return form.requestSubmit($(".send", form));
  }
  if (event.key === "Escape" && !$("dialog[open]")) return leave(event);
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || $("dialog[open]")) return;
  const key = /^[A-Z]$/.test(event.key) ? `Shift+${event.key}` : event.key;
  const own = { j: () => move(1), k: () => move(-1), x: select, "?": () => open("keys") }[key];
  const element = own ? null : [...document.querySelectorAll("[aria-keyshortcuts]")]
    .find((e) => e.getAttribute("aria-keyshortcuts") === key && (shown(e) || e.matches(".mode input, .back")));
  if (!own && !element) return;
  if (!own && !$("#desk")) return;
  event.preventDefault();
  own ? own() : doIt(element);
}
document.addEventListener("keydown", shortcut);

// back moves the focus to the list beside the ticket, or opens the list's page if none is shown.
function back(element) {
  if (shown($("#list"))) (links().find((link) => link.tabIndex === 0) ?? $("#rows")).focus();
  else element.click();
}

function leave(event) {
  if (!typing(document.activeElement)) return;
  const within = document.activeElement.closest("#composer") ? $("#ticket-body") : $("#rows");
  if ($("#filters")?.open) $("#filters").open = false;
  event.preventDefault();
  within?.focus();
}

document.addEventListener("change", (event) => {
  const target = event.target;
  if (target.matches?.("#rows input")) countSelected();
  if (target.matches?.(".actions :is(select, input)")) target.form.classList.add("changed");
});

document.addEventListener("sure:gone", () => say("That can't be done any more.", true));

function open(id) {
  const dialog = document.getElementById(id);
  if (dialog && !dialog.open) dialog.showModal();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-fold], [data-open], [data-hide]");
  if (event.target.matches?.("dialog")) event.target.close(); // beside its content: on the backdrop
  if (!button) return;
  if (button.dataset.fold) fold(button.dataset.fold, !root.classList.contains(`fold-${button.dataset.fold}`));
  if (button.dataset.hide) document.getElementById(button.dataset.hide).replaceChildren();
  if (button.dataset.open === "keys") open("keys");
});
document.addEventListener("click", (event) => {
  const filters = $("#filters[open]");
  if (filters && !filters.contains(event.target)) filters.open = false;
});

// Failed requests are reported and leave typed text alone. Failed live updates are reported by the stream's error handler.
export const unreached = "The desk could not be reached. What you typed is saved.";
const failures = {
  "htmx:sendError": () => unreached,
  "htmx:responseError": ({ xhr }) => {
    if (xhr.status === 401) return "You have been signed out. Sign in again in another tab; what you typed is saved.";
    const text = new DOMParser().parseFromString(xhr.responseText, "text/html").querySelector("h1 + p")?.textContent;
    return text ? `${text}.`.replace("..", ".") : "That failed. What you typed is saved.";
  },
};
for (const [name, words] of Object.entries(failures)) {
  document.addEventListener(name, ({ detail }) => {
    if (detail.requestConfig?.headers?.["X-Live"] !== "1") say(words(detail), true);
  });
}
// reached removes the message that the server could not be reached.
export function reached() {
  if ($("#said")?.textContent.endsWith(unreached)) say("");
}
// Adds the submit button to the request: htmx forgets it when the focus moves, for example to the confirmation.
document.addEventListener("htmx:configRequest", ({ detail: { triggeringEvent, parameters } }) => {
  const by = triggeringEvent?.submitter;
  if (by?.name) parameters[by.name] = by.value;
});
// Moves the focus out of a form that is being sent, so that keys are shortcuts again.
document.addEventListener("htmx:beforeRequest", ({ target }) => {
  if (!target.matches("#ticket form, #bulk") || !target.contains(document.activeElement)) return;
  (target.id === "bulk" ? links().find((link) => link.tabIndex === 0) : $("#ticket-body"))?.focus({ preventScroll: true });
});
// Events of a form that has left the page don't reach the document: listen on the form, and name its ticket.
document.addEventListener("htmx:beforeRequest", ({ target }) => {
  if (!target.matches("#ticket form")) return;
  const { number } = $("#ticket").dataset;
  for (const [name, words] of Object.entries(failures)) {
    target.addEventListener(name, ({ detail }) => { if (!target.isConnected) say(`${number}: ${words(detail)}`, true); }, { once: true });
  }
});

if ($("#desk")) {
  settleList();
  startDrafts();
  startSending();
  startCanned();
  startSeen(2, (line) => say(`${$("strong", line).textContent} wrote.`));
  startLive();
  startPalette({ theme: toggleTheme, keys: () => open("keys") });
}
