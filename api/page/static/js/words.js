// Fields for messages in Markdown: buttons and keys for its marks, a preview, and pasted HTML, which becomes Markdown. The
// server renders and converts, so that a message looks the same everywhere.
const $ = (selector, within = document) => within.querySelector(selector);

// The keys of the marks, with Ctrl or Command. The panel's other keys are used without them, but for Ctrl+K and Ctrl+Enter.
const keys = { b: "bold", i: "italic", e: "code", "shift+k": "link", "shift+8": "list", "shift+7": "numbers", "shift+9": "quote", "shift+p": "preview" };
const codes = { Digit7: "7", Digit8: "8", Digit9: "9" }; // with Shift, their characters depend on the keyboard

const around = { bold: ["**", "**"], italic: ["*", "*"], code: ["`", "`"] };
const before = { list: () => "- ", numbers: (n) => `${n + 1}. `, quote: () => "> " };
const listed = /^(- |\d+\. |> )/;

document.documentElement.classList.add("formats");

const toolsOf = (field) => field.id && $(`[data-tools="${CSS.escape(field.id)}"]`);

// replace replaces a range of a field such that the browser can undo it, and selects a part of the new text.
function replace(field, from, to, text, start = text.length, end = start) {
  field.focus();
  field.setSelectionRange(from, to);
  const inserted = text ? document.execCommand("insertText", false, text) : document.execCommand("delete");
  if (!inserted) {
    field.setRangeText(text, from, to);
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
  }
  field.setSelectionRange(from + start, from + end);
}

// wrap puts marks around the selection, or removes them.
function wrap(field, [open, close]) {
  const { selectionStart: from, selectionEnd: to, value } = field, chosen = value.slice(from, to);
  if (value.slice(from - open.length, from) === open && value.slice(to, to + close.length) === close) {
    return replace(field, from - open.length, to + close.length, chosen, 0, chosen.length);
  }
  replace(field, from, to, open + chosen + close, open.length, open.length + chosen.length);
}

// code marks one line as code within the text, and several as a block.
function code(field) {
  const { selectionStart: from, selectionEnd: to, value } = field, chosen = value.slice(from, to);
  if (!chosen.includes("\n")) return wrap(field, around.code);
  const lead = from > 0 && value[from - 1] !== "\n" ? "\n" : "";
  replace(field, from, to, `${lead}\`\`\`\n${chosen.replace(/\n$/, "")}\n\`\`\`\n`, lead.length + 4, lead.length + 4 + chosen.length);
}

// lines puts marks in front of the selected lines, or removes them.
function lines(field, mark) {
  const { selectionStart, selectionEnd, value } = field;
  const from = value.lastIndexOf("\n", selectionStart - 1) + 1, next = value.indexOf("\n", Math.max(selectionStart, selectionEnd - 1));
  const to = next < 0 ? value.length : next, all = value.slice(from, to).split("\n");
  const marked = all.every((line, n) => line.startsWith(mark(n)));
  const text = all.map((line, n) => (marked ? line.slice(mark(n).length) : mark(n) + line.replace(listed, ""))).join("\n");
  replace(field, from, to, text, selectionStart === selectionEnd ? text.length : 0, text.length);
}

function link(field) {
  const { selectionStart: from, selectionEnd: to, value } = field, chosen = value.slice(from, to);
  if (/^https?:\/\/\S+$/.test(chosen)) return replace(field, from, to, `[](${chosen})`, 1);
  const text = `[${chosen}](https://)`;
  replace(field, from, to, text, chosen ? chosen.length + 3 : 1, chosen ? text.length - 1 : 1);
}

const post = async (address, body) => {
  const answer = await fetch(address, { method: "POST", headers: { "HX-Request": "true" }, body: new URLSearchParams(body) });
  if (!answer.ok) throw new Error(answer.statusText);
  return answer.text();
};

// preview shows what the text will look like, or the text again.
async function preview(field) {
  const shown = $(`#preview-${CSS.escape(field.id)}`), button = $('[data-mark="preview"]', toolsOf(field)), open = shown.hidden;
  button.setAttribute("aria-pressed", open);
  button.textContent = open ? "Write" : "Preview";
  shown.hidden = !open;
  field.hidden = open;
  if (!open) return field.focus();
  shown.textContent = "…";
  shown.focus();
  try {
    shown.innerHTML = await post("/words/preview", { body: field.value }); // the server has sanitized it
    if (!shown.hasChildNodes()) shown.textContent = "Nothing to preview yet.";
  } catch {
    shown.textContent = "The preview could not be loaded. What you typed is still there.";
  }
}

function closePreview(form) {
  const shown = $(".composer-preview", form);
  if (!shown || shown.hidden) return;
  const field = document.getElementById(shown.id.slice("preview-".length));
  if (field?.hidden) preview(field);
}

function apply(field, mark) {
  if (mark === "preview") return preview(field);
  if (field.hidden) return;
  if (mark === "code") code(field);
  else if (mark === "link") link(field);
  else if (around[mark]) wrap(field, around[mark]);
  else lines(field, before[mark]);
}

// paste inserts pasted HTML as Markdown. Plain text is inserted while the server can't be reached. HTML that only repeats
// the text, and what is pasted into code, stays text.
async function paste(event) {
  const field = event.target, data = event.clipboardData;
  if (!field.matches?.("textarea") || !toolsOf(field) || !data || data.files.length) return;
  const markup = data.getData("text/html"), plain = data.getData("text/plain");
  if (!/<(a|b|strong|i|em|u|s|del|h[1-6]|ul|ol|pre|code|blockquote|table)\b/i.test(markup) || markup.length > 500_000) return;
  if ((field.value.slice(0, field.selectionStart).match(/^```/gm) ?? []).length % 2) return;
  event.preventDefault();
  const { selectionStart: from, selectionEnd: to, value } = field;
  let text = plain;
  try {
    text = await post("/words/paste", { html: markup });
  } catch { /* the plain text is better than nothing */ }
  if (field.value === value) replace(field, from, to, text);
  else replace(field, field.selectionStart, field.selectionEnd, text);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-mark]"), tools = button?.closest("[data-tools]");
  if (tools) apply(document.getElementById(tools.dataset.tools), button.dataset.mark);
});
document.addEventListener("keydown", (event) => {
  const field = event.target;
  if (!(event.ctrlKey || event.metaKey) || event.altKey || event.isComposing || !field.matches?.("textarea, .composer-preview")) return;
  const of = field.matches("textarea") ? field : document.getElementById(field.id.slice("preview-".length));
  const mark = keys[(event.shiftKey ? "shift+" : "") + (codes[event.code] ?? event.key.toLowerCase())];
  if (!mark || !of || !toolsOf(of)) return;
  event.preventDefault();
  event.stopPropagation();
  apply(of, mark);
}, true);
document.addEventListener("paste", paste);
document.addEventListener("submit", (event) => closePreview(event.target), true);
