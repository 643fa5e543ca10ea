// What is being written. A ticket has two boxes: one for words that the requester reads, whatever their kind, and one
// for notes. Each keeps one draft in this browser, and words never go from one box to the other.
import { keep, kept, key } from "./drafts.js";
import { present } from "./panel-live.js";

const $ = (selector, within = document) => within.querySelector(selector);
const writingFor = 20_000; // after the last key

let lastTyped = 0, saidWriting = false;

export const fieldOf = (form) => $("textarea", form);
const openNumber = () => $("#ticket")?.dataset.number;
const draftKey = (number, box) => key("draft", number, box);
const formsOf = (box) => [...document.querySelectorAll(`form.write[data-box="${box}"]`)];
export const chosenForm = () => $(`#write-${$(".mode input:checked")?.value}`);

// freshOnce is a new key for a form: what is sent twice under one key arrives once.
const freshOnce = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

// written reports whether a message is being typed.
export function written() {
  return Date.now() - lastTyped < writingFor && [...document.querySelectorAll(".write textarea")].some((t) => t.value.trim() !== "");
}

// join puts words before others that stand in the same box.
const join = (first, then) => (first && then ? `${first}\n\n${then}` : first || then);

function state(form, text) {
  $(".draft-state", form).textContent = text;
}

function keepDraft(form) {
  const { number, box, kind, tried } = form.dataset, words = fieldOf(form).value;
  keep(draftKey(number, box), words ? { kind, words, once: tried } : null);
  state(form, words ? "Draft saved" : "");
}

// fault shows beside the words why they came back; without a reason it takes away what was shown.
export function fault(form, why) {
  const { kind } = form.dataset, field = fieldOf(form);
  $(".problem", form)?.remove();
  field.removeAttribute("aria-invalid");
  field.removeAttribute("aria-describedby");
  if (!why) return;
  const line = document.createElement("p");
  line.className = "problem";
  line.id = `error-${kind}`;
  line.setAttribute("role", "alert");
  line.textContent = why;
  form.prepend(line);
  field.setAttribute("aria-invalid", "true");
  field.setAttribute("aria-describedby", line.id);
}

// fill puts a draft into a form. A key under which the words may have arrived stays with them.
function fill(form, { words, once, caret, why }) {
  const field = fieldOf(form);
  field.value = words;
  field.setSelectionRange(...(caret ?? [words.length, words.length]));
  if (once) form.elements.once.value = form.dataset.tried = once;
  if (why && !$(".problem", form)) fault(form, why);
}

// empty takes the words out of a form, which is ready for others then.
export function empty(form) {
  const send = $(".send", form);
  fieldOf(form).value = "";
  fault(form, "");
  $(".unseen", form)?.remove();
  send.textContent = send.dataset.do; // not "anyway"
  delete form.dataset.tried;
  form.elements.once.value = freshOnce();
  keepDraft(form);
  lastTyped = 0;
  present();
}

// choose shows a form.
function choose(form) {
  const radio = $(`#mode-${form.dataset.kind}`);
  if (radio) radio.checked = true;
}

// restoreDrafts puts back what was typed; what the server gave back goes before it. The kind of message is only changed
// to the draft's where none has been chosen yet. It returns the form that was asked for by name.
export function restoreDrafts(anew = true) {
  const number = openNumber();
  let first = null, wanted = null;
  for (const box of number ? ["public", "note"] : []) {
    const draft = kept(draftKey(number, box)), forms = formsOf(box);
    if (!draft?.words || !forms.length || forms.some((form) => fieldOf(form).value)) continue;
    const chosen = anew ? null : forms.find((form) => form === chosenForm());
    const form = chosen ?? forms.find((form) => form.dataset.kind === draft.kind) ?? forms[0];
    fill(form, draft);
    state(form, "Draft restored");
    first ??= form;
    if (!draft.wanted) continue;
    wanted = form;
    keepDraft(form); // it is asked for once
  }
  const chosen = chosenForm();
  if (wanted) choose(wanted);
  else if (anew && first && chosen && chosen === $("form.write") && !fieldOf(chosen).value) choose(first);
  return wanted;
}

// giveBack puts a message that was not taken into its box again, before what has been typed there since, with the
// reason. Of a ticket that is not open, the draft keeps them.
export function giveBack(message, why, wanted = false) {
  const { number, box, kind, caret, tried } = message, at = draftKey(number, box);
  const forms = number === openNumber() ? formsOf(box) : [];
  const form = forms.find((form) => form.dataset.kind === kind) ?? forms[0];
  const since = form ? forms.map((form) => fieldOf(form).value).find(Boolean) ?? "" : kept(at)?.words ?? "";
  const draft = { kind, words: join(message.words, since), caret, why, once: tried ? message.once : undefined };
  if (!form) {
    keep(at, { ...draft, wanted });
    return null;
  }
  const here = document.activeElement;
  for (const other of forms) if (other !== form && fieldOf(other).value) empty(other);
  fill(form, draft);
  keepDraft(form);
  if (wanted || !here?.matches(".write textarea")) choose(form);
  if (wanted) fieldOf(form).focus();
  return form;
}

// carry takes public words along to another public kind. A note stays what it is.
function carry(to) {
  const from = formsOf(to.dataset.box).find((form) => form !== to && fieldOf(form).value);
  if (!from) return;
  const { value, selectionStart, selectionEnd } = fieldOf(from), { tried } = from.dataset;
  const words = join(value, fieldOf(to).value);
  empty(from);
  fill(to, { words, once: tried, caret: [selectionStart, selectionEnd] });
  keepDraft(to);
}

function typed(form) {
  lastTyped = Date.now();
  keepDraft(form);
  if (!saidWriting) present();
  saidWriting = true;
  clearTimeout(typed.timer);
  typed.timer = setTimeout(() => { saidWriting = false; present(); }, writingFor);
}

export function startDrafts() {
  document.addEventListener("input", (event) => {
    const form = event.target.closest?.("form.write");
    if (form && event.target.matches("textarea")) typed(form);
  });
  document.addEventListener("change", (event) => {
    const to = event.target.matches?.(".mode input") ? $(`#write-${event.target.value}`) : null;
    if (!to) return;
    carry(to);
    event.target.closest(".mode").scrollIntoView({ block: "nearest", inline: "nearest" });
    fieldOf(to).focus();
  });
  const wanted = restoreDrafts() ?? $("form.write:has(textarea[aria-invalid])");
  if (wanted) fieldOf(wanted).focus();
}
