// A reply that is being written survives a reload, a crash and a session that ended: this tab keeps it until the
// conversation shows it. A form that the server gave back holds newer words, and wins.
import { startSeen } from "./seen.js";

function keep(key, text) {
  try {
    if (text.trim()) sessionStorage.setItem(key, text);
    else sessionStorage.removeItem(key);
  } catch {
    // A browser that keeps nothing does what one without a script does.
  }
}

const bare = (text) => text.replace(/\s+/g, "");

function said(text) {
  return [...document.querySelectorAll(".mine:not(.refused, .crossed) .bubble-words")].some((words) => bare(words.textContent) === bare(text));
}

for (const form of document.querySelectorAll("form[data-draft]")) {
  const key = "draft:" + form.dataset.draft, area = form.querySelector("textarea");
  const draft = sessionStorage.getItem(key) ?? "";
  if (draft && said(draft)) keep(key, "");
  else if (!area.value) area.value = draft;
  area.addEventListener("input", () => keep(key, area.value));
}

startSeen(0, () => {}); // the page itself says that the ticket has changed
