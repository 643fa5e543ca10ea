// The command palette: everything on the page that says what it does (data-do), by name.
const $ = (selector, within = document) => within.querySelector(selector);
const shown = (element) => element.offsetParent !== null || element.matches(".mode input, .back");
const number = /^\s*[a-z0-9]{1,8}-[0-9a-z]{10}\s*$/i;
const most = 60;

import { doIt, say } from "./panel.js";

let all = [], found = [], at = 0, extra;

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
  commands.push({ name: "Change between light and dark", run: extra.theme }, { name: "Show the keyboard shortcuts", key: "?", run: extra.keys });
  return commands.sort((a, b) => (b.here ?? 0) - (a.here ?? 0)); // what concerns the open ticket comes first
}

// withCurrent uses what stands in an element's place now: a live update may have replaced it since it was listed.
function withCurrent(element, use) {
  const now = element.isConnected ? element
    : [...document.querySelectorAll("[data-do]")].find((e) => e.dataset.do === element.dataset.do && !e.disabled && shown(e));
  if (now) use(now);
  else say(`“${element.dataset.do}” can't be done any more.`, true);
}

function choose(select, value) {
  select.value = value;
  select.dispatchEvent(new Event("change", { bubbles: true }));
  if (select.matches(".canned select")) return;
  const by = select.dataset.by ? document.getElementById(select.dataset.by) : $("button", select.form);
  select.form.requestSubmit(by);
}

function show() {
  const typed = $("#palette-input").value, words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  found = all.filter((command) => words.every((word) => command.name.toLowerCase().includes(word))).slice(0, most);
  if (number.test(typed)) found.unshift({ name: `Open ticket ${typed.trim().toUpperCase()}`, run: () => go(`/desk/tickets/${encodeURIComponent(typed.trim())}`) });
  if (words.length) found.push({ name: `Search all tickets for “${typed.trim()}”`, run: () => go(`/desk?queue=all&q=${encodeURIComponent(typed.trim())}`) });
  at = 0;
  $("#palette-list").replaceChildren(...found.map((command, i) => {
    const item = document.createElement("li"), name = document.createElement("span");
    item.id = `palette-${i}`;
    item.setAttribute("role", "option");
    name.textContent = command.name;
    item.append(name);
    if (command.key) {
      const key = document.createElement("kbd");
      key.textContent = command.key;
      key.setAttribute("aria-hidden", "true");
      item.append(key);
    }
    item.addEventListener("click", () => run(i));
    return item;
  }));
  mark();
}

function mark() {
  for (const [i, item] of [...$("#palette-list").children].entries()) item.setAttribute("aria-selected", i === at);
  const item = $(`#palette-${at}`);
  if (item) $("#palette-input").setAttribute("aria-activedescendant", item.id);
  else $("#palette-input").removeAttribute("aria-activedescendant");
  item?.scrollIntoView({ block: "nearest" });
}

function run(i) {
  const command = found[i];
  $("#palette").close();
  $("#palette-input").blur(); // a browser may leave the focus in what is hidden now, where the next key would be lost
  command?.run();
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
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.shiftKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
    }
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.('[data-open="palette"]')) open();
  });
  document.addEventListener("input", (event) => { if (event.target.id === "palette-input") show(); });
  document.addEventListener("keydown", (event) => {
    if (event.target.id !== "palette-input") return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && found.length) {
      event.preventDefault();
      at = (at + step + found.length) % found.length;
      mark();
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(at);
    }
  });
}
