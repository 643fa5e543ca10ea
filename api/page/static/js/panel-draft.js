// Drafts of messages. A ticket has two boxes: one for all kinds of messages to the requester, and one for notes. Each has
// one draft in this browser, and text never moves from one box to the other.
import { attach, attachedTo, detach } from "./attach.js";
import { key, load, save } from "./drafts.js";
import { present } from "./panel-live.js";

const $ = (selector, within = document) => within.querySelector(selector);
const writingFor = 20_000; // milliseconds after the last input

let lastTyped = 0, reportedWriting = false;

export const fieldOf = (form) => $("textarea", form);
const openNumber = () => $("#ticket")?.dataset.number;
const draftKey = (number, box) => key("draft", number, box);
const formsOf = (box) => [...document.querySelectorAll(`form.write[data-box="${box}"]`)];
export const chosenForm = () => $(`#write-${$(".mode input:checked")?.value}`);

// newKey returns an idempotency key for a form.
const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

// holds reports whether a form has text or files.
export const holds = (form) => fieldOf(form).value !== "" || attachedTo(form).length > 0;

// written reports whether a message is being typed.
export function written() {
  return Date.now() - lastTyped < writingFor && [...document.querySelectorAll(".write textarea")].some((t) => t.value.trim() !== "");
}

// join joins two texts by an empty line.
const join = (first, then) => (first && then ? `${first}\n\n${then}` : first || then);

function state(form, text) {
  $(".draft-state", form).textContent = text;
}

function saveDraft(form) {
  const { number, box, kind, tried } = form.dataset, words = fieldOf(form).value;
  const files = attachedTo(form), there = words || files.length > 0;
  save(draftKey(number, box), there ? { kind, words, files, key: tried } : null);
  state(form, there ? "Draft saved" : "");
}

// fault shows why a form's message was refused; without a reason it removes the error.
export function fault(form, why) {
  const field = fieldOf(form);
  $(".problem", form)?.remove();
  field.removeAttribute("aria-invalid");
  field.removeAttribute("aria-describedby");
  if (!why) return;
  const line = document.createElement("p");
  line.className = "problem";
  line.id = `${field.id}-error`;
  line.setAttribute("role", "alert");
  line.textContent = why;
  form.prepend(line);
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", line.id);
}

// fill puts a draft into a form. A key under which the text may have been accepted stays with it.
function fill(form, { words, files, key, caret, why }) {
  const field = fieldOf(form);
  field.value = words;
  field.setSelectionRange(...(caret ?? [words.length, words.length]));
  attach(form, files);
  if (key) form.elements.idempotency_key.value = form.dataset.tried = key;
  if (why && !$(".problem", form)) fault(form, why);
}

// empty resets a form for the next message.
export function empty(form) {
  const send = $(".send", form);
  fieldOf(form).value = "";
  detach(form);
  fault(form, "");
  $(".unseen", form)?.remove();
  send.textContent = send.dataset.do; // not "anyway"
  delete form.dataset.tried;
  form.elements.idempotency_key.value = newKey();
  saveDraft(form);
  lastTyped = 0;
  present();
}

// choose shows a form.
function choose(form) {
  const radio = $(`#mode-${form.dataset.kind}`);
  if (radio) radio.checked = true;
}

// restoreDrafts fills the open ticket's forms from its drafts, unless the server's response contains text. It selects the
// draft's kind of message only if the user has not chosen one. It returns the form of a draft that is to have the focus.
export function restoreDrafts(anew = true) {
  const number = openNumber();
  let first = null, wanted = null;
  for (const box of number ? ["public", "note"] : []) {
    const draft = load(draftKey(number, box)), forms = formsOf(box);
    if (!(draft?.words || draft?.files?.length) || !forms.length || forms.some(holds)) continue;
    const chosen = anew ? null : forms.find((form) => form === chosenForm());
    const form = chosen ?? forms.find((form) => form.dataset.kind === draft.kind) ?? forms[0];
    fill(form, draft);
    state(form, "Draft restored");
    first ??= form;
    if (!draft.wanted) continue;
    wanted = form;
    saveDraft(form); // without wanted: the focus moves once
  }
  const chosen = chosenForm();
  if (wanted) choose(wanted);
  else if (anew && first && chosen && chosen === $("form.write") && !holds(chosen)) choose(first);
  return wanted;
}

// restoreMessage puts a message that was not accepted back into its box, before text typed there since, with the reason.
// If its ticket is not open, it goes to the ticket's draft.
export function restoreMessage(message, why, wanted = false) {
  const { number, box, kind, caret, tried } = message, at = draftKey(number, box);
  const forms = number === openNumber() ? formsOf(box) : [];
  const form = forms.find((form) => form.dataset.kind === kind) ?? forms[0];
  const since = form ? forms.map((form) => fieldOf(form).value).find(Boolean) ?? "" : load(at)?.words ?? "";
  const later = form ? forms.flatMap(attachedTo) : load(at)?.files ?? [];
  const draft = { kind, words: join(message.words, since), files: [...message.files ?? [], ...later], caret, why, key: tried ? message.key : undefined };
  if (!form) {
    save(at, { ...draft, wanted });
    return null;
  }
  const here = document.activeElement;
  for (const other of forms) if (other !== form && holds(other)) empty(other);
  fill(form, draft);
  saveDraft(form);
  if (wanted || !here?.matches(".write textarea")) choose(form);
  if (wanted) fieldOf(form).focus();
  return form;
}

// carry moves public text to the form of another public kind. Notes are never moved.
function carry(to) {
  const from = formsOf(to.dataset.box).find((form) => form !== to && holds(form));
  if (!from) return;
  const { value, selectionStart, selectionEnd } = fieldOf(from), { tried } = from.dataset;
  const words = join(value, fieldOf(to).value), files = attachedTo(from);
  empty(from);
  fill(to, { words, files, key: tried, caret: [selectionStart, selectionEnd] });
  saveDraft(to);
}

function typed(form) {
  lastTyped = Date.now();
  saveDraft(form);
  if (!reportedWriting) present();
  reportedWriting = true;
  clearTimeout(typed.timer);
  typed.timer = setTimeout(() => { reportedWriting = false; present(); }, writingFor);
}

export function startDrafts() {
  document.addEventListener("input", (event) => {
    const form = event.target.closest?.("form.write");
    if (form && event.target.matches("textarea")) typed(form);
  });
  document.addEventListener("attach:changed", ({ target }) => { if (target.matches("form.write")) saveDraft(target); });
  document.addEventListener("change", (event) => {
    if (event.target.matches?.("form.write input.alt")) saveDraft(event.target.form);
    const to = event.target.matches?.(".mode input") ? $(`#write-${event.target.value}`) : null;
    if (!to) return;
    carry(to);
    event.target.closest(".mode").scrollIntoView({ block: "nearest", inline: "nearest" });
    fieldOf(to).focus();
  });
  const wanted = restoreDrafts() ?? $("form.write:has(textarea[aria-invalid])");
  if (wanted) fieldOf(wanted).focus();
}
