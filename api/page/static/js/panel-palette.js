// The command palette: all elements of the page with a command's name (data-do).
import { Listbox, matching } from "./listbox.js";
import { doIt, say } from "./panel.js";

const $ = (selector, within = document) => within.querySelector(selector);
const shown = (element) => element.offsetParent !== null || element.matches(".mode input, .back");
const number = /^\s*[a-z0-9]{1,8}-[0-9a-z]{10}\s*$/i;

let all = [], list, extra;

// collect lists the commands of the page. Each option of a select is a command.
function collect() {
  const commands = [];
  for (const element of document.querySelectorAll("[data-do]")) {
    if (element.disabled || !shown(element)) continue;
    const here = element.closest("#ticket") ? 1 : 0;
    if (!element.matches("select")) {
      commands.push({ here, name: element.dataset.do, key: element.getAttribute("aria-keyshortcuts"), run: () => withCurrent(element, doIt) });
      continue;
    }
    for (const option of element.options) {
      if (!option.value || option.defaultSelected || option.matches(".other")) continue;
      commands.push({ here, name: `${element.dataset.do} ${option.text}`, run: () => withCurrent(element, (select) => choose(select, option.value)) });
    }
  }
  for (const link of document.querySelectorAll(".site-nav a")) commands.push({ name: `Go to ${link.textContent}`, run: () => link.click() });
  for (const own of document.querySelectorAll(".menu-panel :is(a, button)")) commands.push({ name: own.textContent.trim(), run: () => own.click() });
  commands.push({ name: "Switch between light and dark", run: extra.theme }, { name: "Show the keyboard shortcuts", key: "?", run: extra.keys });
  return commands.sort((a, b) => (b.here ?? 0) - (a.here ?? 0)); // commands on the open ticket come first
}

// withCurrent uses the element or its replacement: a live update may have replaced it since it was listed.
function withCurrent(element, use) {
  const now = element.isConnected ? element
    : [...document.querySelectorAll("[data-do]")].find((e) => e.dataset.do === element.dataset.do && !e.disabled && shown(e));
  if (now) use(now);
  else say(`“${element.dataset.do}” can't be done any more.`, true);
}

// choose selects a value and clicks the button that submits it.
function choose(select, value) {
  select.value = value;
  select.dispatchEvent(new Event("change", { bubbles: true }));
  (select.dataset.by ? document.getElementById(select.dataset.by) : $("button", select.form)).click();
}

// show lists the commands that match the input. A ticket number opens the ticket; any text can be searched for.
function show() {
  const typed = $("#palette-input").value.trim(), found = matching(all, typed);
  if (number.test(typed)) found.unshift({ name: `Open ticket ${typed.toUpperCase()}`, run: () => go(`/desk/tickets/${encodeURIComponent(typed)}`) });
  if (typed) found.push({ name: `Search all tickets for “${typed}”`, run: () => go(`/desk?queue=all&q=${encodeURIComponent(typed)}`) });
  list.show(found);
}

function run(command) {
  $("#palette").close();
  $("#palette-input").blur(); // a browser may leave the focus in the closed dialog, which would swallow the next key
  command.run();
}

const go = (address) => location.assign(address);

function open() {
  if ($("dialog[open]")) return;
  all = collect();
  $("#palette-input").value = "";
  $("#palette").showModal();
  show();
}

export function startPalette(actions) {
  extra = actions;
  list = new Listbox($("#palette-input"), $("#palette-list"), { select: run });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.('[data-open="palette"]')) open();
  });
  $("#palette-input").addEventListener("input", show);
}
