// Tracks which messages the writer has seen. Forms contain it (input[name=seen]), and the server refuses a message that
// crosses with another person's. What a live update adds counts as seen once it is shown or, where a page asks for that,
// once it has been in view for some looks with nothing covering it.
const $ = (selector, within = document) => within.querySelector(selector);
const every = 500; // milliseconds between looks

let looks = 0, of, seen = 0, waiting = []; // lines that are not seen yet

const inView = new Map();
const observer = new IntersectionObserver((changes) => {
  for (const change of changes) inView.set(change.target, change.isIntersecting);
});

const conversation = () => $("#conversation[data-seen]");
const number = (line) => Number(line.dataset.n);

function updateForms() {
  for (const field of document.querySelectorAll("input[name=seen]")) field.value = seen;
}

// changed compares what the page shows with what was seen. Messages for which a form was refused count as seen.
function changed(announce) {
  const shown = conversation();
  if (!shown) return;
  if (shown.dataset.of !== of) [of, seen] = [shown.dataset.of, Number(shown.dataset.seen)];
  for (const refusal of document.querySelectorAll(".unseen[data-seen]")) seen = Math.max(seen, Number(refusal.dataset.seen));
  const known = new Map(waiting.map((line) => [number(line), line]));
  observer.disconnect();
  inView.clear();
  waiting = [...shown.querySelectorAll("[data-n]")].filter((line) => number(line) > seen);
  for (const line of waiting) {
    line.looks = known.get(number(line))?.looks ?? 0;
    observer.observe(line);
    if (!known.has(number(line))) announce(line);
  }
  arrived();
}

function arrived() {
  if (waiting.every((line) => line.looks >= looks)) [seen, waiting] = [Math.max(seen, Number(conversation().dataset.seen)), []];
  updateForms();
}

function look() {
  if (!waiting.length || document.hidden || $("dialog[open]")) return;
  for (const line of waiting) line.looks = inView.get(line) ? line.looks + 1 : line.looks;
  arrived();
}

// Selected rows keep the value from when they were selected; the outcome of a command to them has to be seen by everyone.
let renew = false;
function keepRows({ detail: { target, fragment } }) {
  if (target.id !== "rows") return;
  for (const box of renew ? [] : target.querySelectorAll("input:checked")) {
    const name = `[name="seen-${CSS.escape(box.value)}"]`;
    $(name, fragment)?.setAttribute("value", $(name, target).value);
  }
  renew = false;
}

// startSeen starts tracking. enough is how many looks have to find a line in view; announce is called for each line that
// a live update adds.
export function startSeen(enough, announce) {
  looks = enough;
  changed(announce);
  for (const event of ["htmx:oobAfterSwap", "htmx:afterSwap", "htmx:historyRestore"]) {
    document.addEventListener(event, () => changed(announce));
  }
  document.addEventListener("htmx:oobBeforeSwap", keepRows);
  document.addEventListener("desk:changed", () => { renew = true; });
  document.addEventListener("desk:unseen", () => waiting[0]?.scrollIntoView({ block: "nearest" }));
  setInterval(look, every);
}
