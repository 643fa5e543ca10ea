// Images of messages in a dialog. The arrow keys go to the next and the previous image of the conversation; Escape closes.
const links = "a[data-lightbox]";
let dialog, picture, caption, original, shown = null;

function button(text, label, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "secondary";
  made.textContent = text;
  made.setAttribute("aria-label", label);
  made.addEventListener("click", act);
  return made;
}

function make() {
  dialog = document.createElement("dialog");
  dialog.className = "lightbox";
  dialog.setAttribute("aria-label", "Image");
  picture = document.createElement("img");
  caption = document.createElement("p");
  caption.dir = "auto";
  original = document.createElement("a");
  original.className = "button secondary";
  original.textContent = "Save the original";
  const tools = document.createElement("div");
  tools.className = "lightbox-tools";
  tools.append(button("←", "Previous image", () => go(-1)), button("→", "Next image", () => go(1)), original, button("Close", "Close", () => dialog.close()));
  dialog.append(picture, caption, tools);
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    event.stopPropagation(); // the panel's keys are for the page behind
    if (step) go(step);
  });
  dialog.addEventListener("close", () => { if (shown?.isConnected) shown.focus(); });
  document.body.append(dialog);
}

function show(link) {
  if (!dialog) make();
  shown = link;
  const preview = link.querySelector("img");
  picture.src = link.dataset.lightbox;
  picture.alt = preview?.alt ?? "";
  caption.textContent = picture.alt;
  original.href = link.href;
  if (!dialog.open) dialog.showModal();
}

function go(step) {
  const all = [...document.querySelectorAll(links)], at = all.indexOf(shown);
  if (at >= 0 && all[at + step]) show(all[at + step]);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.(links);
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  show(link);
});
