// Canned replies: a list that filters as the user types, with a preview. Enter or a click inserts the text at the caret.
import { chosenForm, fieldOf } from "./panel-draft.js";
import { Listbox, matching } from "./listbox.js";
import { say } from "./panel.js";

const $ = (selector, within = document) => within.querySelector(selector);
const placeholder = /\{\{[^{}\n]*\}\}/;

let titles = [], texts = new Map(), list, shown;

// text fetches a canned reply, filled in for the open ticket.
function text(id) {
  if (!texts.has(id)) {
    texts.set(id, fetch(`/desk/tickets/${$("#ticket").dataset.number}/canned/${id}`).then((answer) => {
      if (!answer.ok) throw new Error(answer.statusText);
      return answer.text();
    }));
    texts.get(id).catch(() => texts.delete(id)); // try again the next time
  }
  return texts.get(id);
}

async function preview(item) {
  shown = item;
  let words = "";
  try {
    if (item) words = await text(item.id);
  } catch {
    words = "It could not be loaded.";
  }
  if (shown === item) $("#canned-preview").textContent = words || "No canned reply has this in its title.";
}

async function insert({ id }) {
  const form = chosenForm();
  $("#canned").close();
  let words;
  try {
    words = await text(id);
  } catch {
    return say("The canned reply could not be loaded.", true);
  }
  const field = fieldOf(form), before = field.value.slice(0, field.selectionStart), after = field.value.slice(field.selectionEnd);
  const gap = /\S$/.test(before) && /^(\n|$)/.test(after) ? "\n" : ""; // after a line with text
  field.setRangeText(gap + words, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new InputEvent("input", { bubbles: true, inputType: "insertText" }));
  say(placeholder.test(words) ? "Inserted. Fill in what is left in {{braces}}." : "Inserted.");
}

function open() {
  const form = chosenForm();
  titles = [...$(".canned select", form).options].filter((option) => option.value).map((option) => ({ id: option.value, name: option.text }));
  texts = new Map();
  $("#canned-input").value = "";
  $("#canned").showModal();
  list.show(titles);
}

export function startCanned() {
  list = new Listbox($("#canned-input"), $("#canned-list"), { select: insert, highlight: preview });
  $("#canned-input").addEventListener("input", (event) => list.show(matching(titles, event.target.value)));
  $("#canned").addEventListener("close", () => fieldOf(chosenForm()).focus());
  document.addEventListener("click", (event) => {
    if (event.target.closest?.('[data-open="canned"]') && !$("dialog[open]")) open();
  });
}
