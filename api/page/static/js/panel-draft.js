// What is being written: drafts survive a reload, canned replies are filled in, and nothing is lost when sending fails.
import { say } from "./panel.js";
import { present } from "./panel-live.js";

const $ = (selector, within = document) => within.querySelector(selector);
const key = (form) => `draft/${form.dataset.draft}`;
const writingFor = 20_000; // after the last key

let lastTyped = 0, saidWriting = false;

// written reports whether somebody is at it.
export function written() {
  return Date.now() - lastTyped < writingFor && [...document.querySelectorAll(".write textarea")].some((t) => t.value.trim() !== "");
}

function keep(form) {
  const text = $("textarea", form).value;
  if (text) localStorage.setItem(key(form), text);
  else localStorage.removeItem(key(form));
  $(".draft-state", form).textContent = text ? "Draft kept" : "";
}

// restoreDrafts puts back what was typed; what the server gave back goes before it. The kind of message is only changed
// to the draft's where nobody has chosen one yet.
export function restoreDrafts(choose = true) {
  let first = null;
  for (const form of document.querySelectorAll("form.write")) {
    const field = $("textarea", form), draft = localStorage.getItem(key(form));
    if (field.value || !draft) continue;
    field.value = draft;
    $(".draft-state", form).textContent = "Draft restored";
    first ??= form;
  }
  const chosen = $(".mode:first-child input:checked");
  if (choose && first && chosen && !$(`#body-${chosen.value}`)?.value) $(`#mode-${first.id.replace("write-", "")}`).checked = true;
  const failed = $("form.write textarea[aria-invalid]");
  failed?.focus();
}

export function send(form) {
  const field = $("textarea", form);
  if (!field.value.trim()) return say("There is nothing to send yet.", true);
  form.requestSubmit($(".send", form));
}

async function insert(select) {
  const form = select.form, field = $("textarea", form), number = $("#ticket").dataset.number, id = select.value;
  if (!id) return;
  select.value = "";
  try {
    const answer = await fetch(`/desk/tickets/${number}/canned/${id}`);
    if (!answer.ok) throw new Error(answer.statusText);
    const text = await answer.text();
    const before = field.value.slice(0, field.selectionStart), gap = before && !before.endsWith("\n") ? "\n" : "";
    field.setRangeText(gap + text, field.selectionStart, field.selectionEnd, "end");
    field.focus();
    keep(form);
    say(/\{\{[^{}\n]*\}\}/.test(text) ? "Inserted. Fill in what still stands in {{braces}}." : "Inserted.");
  } catch {
    say("The canned reply could not be fetched.", true);
  }
}

function taken(form) {
  localStorage.removeItem(key(form));
  lastTyped = 0;
  present();
}

export function startDrafts() {
  restoreDrafts();
  document.addEventListener("input", (event) => {
    const form = event.target.closest?.("form.write");
    if (!form || !event.target.matches("textarea")) return;
    lastTyped = Date.now();
    keep(form);
    if (!saidWriting) present();
    saidWriting = true;
    clearTimeout(startDrafts.timer);
    startDrafts.timer = setTimeout(() => { saidWriting = false; present(); }, writingFor);
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches?.(".canned select")) insert(event.target);
  });
  // A message that was taken is no draft any more. This comes before the new composer does. The form itself listens:
  // it may have left the page by then, with its ticket.
  document.addEventListener("htmx:beforeRequest", (event) => {
    const form = event.target;
    if (form.matches?.("form.write")) form.addEventListener("desk:sent", () => taken(form), { once: true });
  });
}
