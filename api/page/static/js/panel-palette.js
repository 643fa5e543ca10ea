// The command palette: everything on the page that says what it does (data-do), by name.
import { Listbox, matching } from "./listbox.js";
import { doIt, say } from "./panel.js";

const $ = (selector, within = document) => within.querySelector(selector);
const shown = (element) => element.offsetParent !== null || element.matches(".mode input, .back");
const number = /^\s*[a-z0-9]{1,8}-[0-9a-z]{10}\s*$/i;

let all = [], list, extra;

// collect lists what can be done here and now. A choice is as many commands as it has values.
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
      if (!option.value || option.defaultSelected) continue;
      commands.push({ here, name: `${element.dataset.do} ${option.text}`, run: () => withCurrent(element, (select) => choose(select, option.value)) });
    }
  }
  for (const link of document.querySelectorAll(".site-nav a")) commands.push({ name: `Go to ${link.textContent}`, run: () => link.click() });
  for (const own of document.querySelectorAll(".menu-panel :is(a, button)")) commands.push({ name: own.textContent.trim(), run: () => own.click() });
  commands.push({ name: "Switch between light and dark", run: extra.theme }, { name: "Show the keyboard shortcuts", key: "?", run: extra.keys });
  return commands.sort((a, b) => (b.here ?? 0) - (a.here ?? 0)); // what concerns the open ticket comes first
}

// withCurrent uses what stands in an element's place now: a live update may have replaced it since it was listed.
function withCurrent(element, use) {
  const now = element.isConnected ? element
    : [...document.querySelectorAll("[data-do]")].find((e) => e.dataset.do === element.dataset.do && !e.disabled && shown(e));
  if (now) use(now);
  else say(`“${element.dataset.do}” can't be done any more.`, true);
}

// choose sets a choice and presses the button that goes with it.
function choose(select, value) {
  select.value = value;
  select.dispatchEvent(new Event("change", { bubbles: true }));
  (select.dataset.by ? document.getElementById(select.dataset.by) : $("button", select.form)).click();
}

// show lists the commands that fit what is typed: a ticket's number and words to look for are commands, too.
function show() {
  const typed = $("#palette-input").value.trim(), found = matching(all, typed);
  if (number.test(typed)) found.unshift({ name: `Open ticket ${typed.toUpperCase()}`, run: () => go(`/desk/tickets/${encodeURIComponent(typed)}`) });
  if (typed) found.push({ name: `Search all tickets for “${typed}”`, run: () => go(`/desk?queue=all&q=${encodeURIComponent(typed)}`) });
  list.show(found);
}

function run(command) {
  $("#palette").close();
  $("#palette-input").blur(); // a browser may leave the focus in what is hidden now, where the next key would be lost
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
  list = new Listbox($("#palette-input"), $("#palette-list"), { take: run });
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
