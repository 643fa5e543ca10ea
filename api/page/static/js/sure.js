// Actions that can't be undone ask for confirmation: those of forms, buttons and options with data-sure. What is confirmed after
// its form has gone is announced as the event "sure:gone".
let sure = null;

function dialog() {
  const there = document.getElementById("confirm");
  if (there) return there;
  const made = document.createElement("dialog");
  made.id = "confirm";
  made.className = "sure";
  made.setAttribute("aria-labelledby", "confirm-text");
  made.innerHTML = `<form method="dialog"><p id="confirm-text"></p><div class="sure-ends">
<button type="submit" class="secondary" value="no">Cancel</button> <button type="submit" value="yes" class="danger small">Yes, do it</button></div></form>`;
  return document.body.appendChild(made);
}

function resubmit(form, submitter) {
  sure = form;
  form.requestSubmit(submitter);
}

document.addEventListener("submit", (event) => {
  const asking = event.submitter?.dataset.sure ?? event.target.dataset.sure ?? event.target.querySelector("option:checked[data-sure]")?.dataset.sure;
  if (!asking || sure === event.target) return void (sure = null);
  event.preventDefault();
  event.stopImmediatePropagation();
  const box = dialog(), form = event.target, submitter = event.submitter;
  box.querySelector("#confirm-text").textContent = asking;
  box.returnValue = "";
  box.showModal();
  box.addEventListener("close", () => {
    if (box.returnValue !== "yes") return;
    if (form.isConnected) return resubmit(form, submitter);
    // A live update has replaced the form.
    const now = [...document.querySelectorAll("form[data-sure]")].find((f) => f.action === form.action);
    now ? resubmit(now, now.querySelector("button")) : document.dispatchEvent(new CustomEvent("sure:gone"));
  }, { once: true });
}, true);
