// Files of forms. A file that is chosen, dropped or pasted is uploaded at once; the form then holds its ID in a hidden field
// and is sent without the file itself. Without this script the browser sends the files with the form.
const $ = (selector, within) => within.querySelector(selector);
const fields = "[data-attach]";
const image = /^image\//;

const uploading = new Map(); // requests of files that are being uploaded, by their line

const formOf = (field) => field.closest("form");
const linesOf = (field) => [...$(".attached", field).children];

// pending reports whether a form's files are still being uploaded.
export const pending = (form) => [...form.querySelectorAll(".attached-file.sending")].length > 0;

// attachedTo returns the files of a form, as they are kept with its draft.
export function attachedTo(form) {
  return [...form.querySelectorAll(".attached-file[data-file]")].map((line) => ({
    id: line.dataset.file, name: $(".file-name", line).textContent, size: line.dataset.size ?? "", preview: line.dataset.preview ?? "",
    alt: $("input.alt", line)?.value ?? "",
  }));
}

// attach shows files that were uploaded before in a form. Those that it has already stay.
export function attach(form, files) {
  const field = $(fields, form);
  for (const file of field ? files ?? [] : []) {
    if (typeof file?.id !== "string" || $(`[data-file="${CSS.escape(file.id)}"]`, field)) continue;
    done(field, newLine(field, file.name), file);
  }
  if (field) changed(field, false);
}

// detach removes all files from a form, without deleting them.
export function detach(form) {
  const field = $(fields, form);
  if (!field) return;
  for (const line of linesOf(field)) stop(line);
  $(".attached", field).replaceChildren();
  forget(field);
  changed(field, false);
}

function element(name, className, text) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  return made;
}

function hidden(name, value) {
  const input = element("input");
  input.type = "hidden";
  input.name = name;
  input.value = value;
  return input;
}

function newLine(field, name) {
  const line = element("li", "attached-file"), label = element("span", "file-name"), text = element("bdi", "", name);
  label.append(text);
  line.append(label, remover(field, line, name));
  $(".attached", field).append(line);
  return line;
}

function remover(field, line, name) {
  const button = element("button", "link small attached-remove", "Remove");
  button.type = "button";
  button.setAttribute("aria-label", `Remove ${name}`);
  button.addEventListener("click", () => remove(field, line));
  return button;
}

function stop(line) {
  uploading.get(line)?.abort();
  uploading.delete(line);
}

function remove(field, line) {
  stop(line);
  const { file } = line.dataset;
  if (file && document.documentElement.dataset.person) { // a failure leaves the file for a day
    fetch(`/files/${file}/deletion`, { method: "POST", headers: { "HX-Request": "true", "Content-Type": "application/x-www-form-urlencoded" }, keepalive: true }).catch(() => {});
  }
  line.remove();
  report(field, "Removed.");
  changed(field, true);
  $("input[type=file]", field).focus();
}

// done turns a line into that of an uploaded file.
function done(field, line, file) {
  line.classList.remove("sending");
  $("progress", line)?.remove();
  line.dataset.file = file.id;
  line.dataset.size = file.size;
  const name = $(".file-name", line);
  name.firstElementChild.textContent = file.name;
  $(".attached-remove", line).setAttribute("aria-label", `Remove ${file.name}`);
  if (file.size) name.after(element("span", "file-size", file.size));
  line.prepend(hidden("files", file.id), hidden(`name-${file.id}`, file.name));
  if (file.preview) {
    line.dataset.preview = file.preview;
    const picture = element("img");
    picture.src = file.preview;
    picture.alt = "";
    line.prepend(picture);
  }
  if (file.preview || file.alt) {
    const label = element("label", "attached-alt"), alt = element("input", "alt");
    alt.type = "text";
    alt.name = `alt-${file.id}`;
    alt.maxLength = 500;
    alt.value = file.alt ?? "";
    alt.dir = "auto";
    label.append(element("span", "", "Describe this image (optional)"), alt);
    line.append(label);
  }
}

// report shows what became of a file; screen readers announce it. Errors stay until files are added again.
function report(field, text, bad = false) {
  const state = $(".attach-state", field);
  if (!bad) state.querySelectorAll(":not(.error)").forEach((line) => line.remove());
  state.append(element("span", bad ? "error" : "", text));
}

const forget = (field) => $(".attach-state", field).replaceChildren();

// changed follows a change of a form's files: a message without files must have words.
function changed(field, tell) {
  const form = formOf(field), words = $("textarea[name=body]", form);
  if (words) words.required = linesOf(field).length === 0;
  if (tell) form.dispatchEvent(new CustomEvent("attach:changed", { bubbles: true }));
}

function add(field, files) {
  const most = Number(field.dataset.most), size = Number(field.dataset.size), total = Number(field.dataset.total);
  forget(field);
  for (const file of files) {
    const together = linesOf(field).reduce((sum, line) => sum + Number(line.dataset.bytes ?? 0), file.size);
    if (linesOf(field).length >= most) return report(field, `A message can have at most ${most} files.`, true);
    if (file.size === 0) report(field, `${file.name} is empty.`, true);
    else if (file.size > size) report(field, `${file.name} is larger than ${size / 1048576} MiB.`, true);
    else if (together > total) report(field, `With ${file.name}, the files are larger than ${total / 1048576} MiB together.`, true);
    else send(field, file);
  }
}

function send(field, file) {
  const name = file.name || "screenshot.png", line = newLine(field, name), bar = element("progress"), request = new XMLHttpRequest();
  line.classList.add("sending");
  line.dataset.bytes = file.size;
  bar.max = 1;
  bar.setAttribute("aria-label", `Uploading ${name}`);
  $(".file-name", line).after(bar);
  uploading.set(line, request);
  request.open("POST", field.dataset.upload);
  request.setRequestHeader("X-Filename", encodeURIComponent(name.toWellFormed?.() ?? name));
  request.setRequestHeader("Content-Type", file.type || "application/octet-stream");
  request.setRequestHeader("HX-Request", "true"); // an error is then a fragment
  request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) bar.value = event.loaded / event.total; });
  request.addEventListener("load", () => answered(field, line, name, request));
  request.addEventListener("error", () => failed(field, line, `${name} could not be uploaded: we can’t be reached at the moment.`));
  request.send(file);
  changed(field, false);
}

function answered(field, line, name, request) {
  uploading.delete(line);
  let answer = {};
  try {
    answer = JSON.parse(request.responseText);
  } catch {
    const page = new DOMParser().parseFromString(request.responseText, "text/html");
    answer.error = $("h1 + p", page)?.textContent;
  }
  if (request.status !== 201) {
    if (request.status === 401) answer.error = "You have been signed out. Sign in again in another tab.";
    return failed(field, line, `${name}: ${answer.error || "it could not be uploaded."}`);
  }
  done(field, line, answer);
  report(field, `${answer.name} is attached.`);
  changed(field, true);
}

function failed(field, line, why) {
  uploading.delete(line);
  line.remove();
  report(field, why, true);
  changed(field, true);
}

// prepare makes a field work with this script: its file input is no longer sent with the form.
function prepare(field) {
  if (field.dataset.ready) return;
  field.dataset.ready = "";
  const input = $("input[type=file]", field), form = formOf(field);
  input.removeAttribute("name");
  input.labels[0].title = $(".hint", field).textContent;
  form.enctype = "application/x-www-form-urlencoded";
  for (const line of linesOf(field)) { // from the server, which had refused the form
    $(".attached-keep", line)?.remove();
    if (!$(".attached-remove", line)) line.append(remover(field, line, $(".file-name", line).textContent));
  }
  changed(field, false);
}

export function start(within = document) {
  within.querySelectorAll(fields).forEach(prepare);
}

const target = (event) => $(fields, event.target.closest?.("form") ?? document.createElement("p"));
const carries = (event) => event.dataTransfer?.types.includes("Files");

document.addEventListener("change", (event) => {
  const field = event.target.closest?.(fields);
  if (!field || event.target.type !== "file") return;
  const files = [...event.target.files];
  event.target.value = "";
  add(field, files);
});
document.addEventListener("paste", (event) => {
  const field = target(event), files = [...event.clipboardData?.files ?? []];
  if (!field || !files.length || event.clipboardData.types.includes("text/plain")) return; // a table is pasted as text
  event.preventDefault();
  add(field, files.map((file) => (image.test(file.type) && file.name === "image.png" ? new File([file], "screenshot.png", { type: file.type }) : file)));
});
for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => {
    if (!carries(event)) return;
    const field = target(event);
    event.preventDefault(); // also beside a form: the browser would leave the page for the file
    event.dataTransfer.dropEffect = field ? "copy" : "none";
    document.querySelectorAll(".attach.over").forEach((other) => other.classList.toggle("over", other === field));
    field?.classList.add("over");
  });
}
for (const name of ["dragleave", "dragend", "drop"]) {
  document.addEventListener(name, (event) => {
    if (name !== "dragleave" || !event.relatedTarget) document.querySelectorAll(".attach.over").forEach((field) => field.classList.remove("over"));
  });
}
document.addEventListener("drop", (event) => {
  if (!carries(event)) return;
  event.preventDefault();
  const field = target(event);
  if (field) add(field, [...event.dataTransfer.files]);
});
// A form is not sent while its files are being uploaded.
document.addEventListener("submit", (event) => {
  const field = event.target.querySelector?.(fields);
  if (!field || !pending(event.target)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  forget(field);
  report(field, "Wait until the files are uploaded, then send.", true);
}, true);

start();
// The panel replaces parts of its page.
new MutationObserver(() => start()).observe(document.body, { childList: true, subtree: true });
