// Drafts of forms other than the panel's composer. What is typed into a form with data-draft is stored in this browser
// until the server has accepted it. The name of a draft begins with its writer's ID, so no one else who signs in here is
// shown it. A form that the server has filled in (data-saved) contains newer text and takes precedence, but not over a
// draft that was made from it: until it is sent, the server fills it in with the same text each time.
import { attach, attachedTo } from "./attach.js";
import { load, save } from "./drafts.js";

const prefix = "draft/", lasts = 14 * 86_400_000;
const forms = "form[data-draft]";

const fields = (form) => [...form.elements].filter((e) => e.name && !e.matches("[type=hidden], [type=password], [type=file], button"));

function initial(field) {
  if (field.matches("select")) return [...field.options].find((o) => o.defaultSelected)?.value ?? field.options[0]?.value ?? "";
  return field.defaultValue;
}

function keep(form) {
  const key = prefix + form.dataset.draft, words = {};
  let typed = false;
  for (const field of fields(form)) {
    if (field.type === "checkbox") continue;
    if (field.type === "radio") {
      if (field.checked) words[field.name] = field.value;
      typed ||= field.checked !== field.defaultChecked;
      continue;
    }
    words[field.name] = field.value;
    typed ||= field.value !== initial(field);
  }
  const files = attachedTo(form);
  typed ||= files.length > 0 || form.hasAttribute("data-saved");
  show(form, save(key, typed ? { at: Date.now(), words, files, from: form.dataset.saved } : null) && typed);
}

function show(form, stored) {
  const state = form.querySelector("[data-draft-state]");
  if (state) state.hidden = !stored;
}

const bare = (text) => text.replace(/\s+/g, "");

// said reports whether the conversation on this page contains the text: it was accepted, but the response was lost.
function said(words) {
  return words.body && [...document.querySelectorAll(".mine:not(.refused, .crossed) .bubble-words")].some((b) => bare(b.dataset.written ?? b.textContent) === bare(words.body));
}

function restore(form) {
  const key = prefix + form.dataset.draft, draft = load(key), from = form.dataset.saved;
  if (from !== undefined && !(from && draft?.from === from)) return keep(form);
  if (!draft?.words) return;
  if (said(draft.words)) return localStorage.removeItem(key);
  for (const field of fields(form)) {
    const value = draft.words[field.name];
    if (typeof value !== "string") continue;
    if (field.type === "radio") field.checked = field.value === value;
    else if (field.type !== "checkbox" && field.value === initial(field)) {
      if (!field.matches("select") || [...field.options].some((o) => o.value === value)) field.value = value;
    }
  }
  attach(form, draft.files);
  show(form, true);
}

// sweep deletes the draft that the server has accepted, which a cookie of the response names, and drafts that are too old.
function sweep() {
  const sent = document.cookie.split("; ").find((c) => c.startsWith("sent="))?.slice("sent=".length) ?? "";
  if (sent) document.cookie = "sent=; path=/; max-age=0; samesite=lax";
  const accepted = prefix + decodeURIComponent(sent.replaceAll("+", "%20"));
  for (const key of Object.keys(localStorage)) {
    if (!key.startsWith(prefix)) continue;
    const draft = load(key);
    if (!draft?.at) continue;
    if (key === accepted || Date.now() - draft.at > lasts) localStorage.removeItem(key);
  }
}

function start() {
  sweep();
  document.querySelectorAll(forms).forEach(restore);
}

try {
  start();
} catch {
  // Without storage, forms work as they do without a script.
}
addEventListener("pageshow", (event) => { if (event.persisted) sweep(); });
document.addEventListener("input", ({ target }) => { if (target.form?.matches(forms)) keep(target.form); });
document.addEventListener("attach:changed", ({ target }) => { if (target.matches(forms)) keep(target); });
document.addEventListener("formdata", ({ target, formData }) => {
  if (target.matches(forms)) formData.set("draft", target.dataset.draft);
});
document.addEventListener("change", ({ target }) => { if (target.form?.matches(forms)) keep(target.form); });
