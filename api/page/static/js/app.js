// The script of every page: it shows times in the viewer's zone and keeps them current, and switches between light and
// dark. Pages work without it, with times in the policy's zone.
import "./drafts.js"; // on every page: it deletes drafts of other people
import "./attach.js";
import "./form-drafts.js";
import "./lightbox.js";
import "./sure.js";
import "./words.js";

const root = document.documentElement;

function remember(name, value) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${name}=${value}; path=/; max-age=31536000; samesite=lax${secure}`;
}

// The server formats instants in the zone of this cookie; those of a browser's first page are formatted again here.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const rewrite = zone && root.dataset.zone !== zone;
if (rewrite) remember("tz", zone);

const day = { day: "numeric", month: "short", year: "numeric" };
const formats = {
  full: { weekday: "short", ...day, hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "short" },
  day,
};

// moment formats like Layout.shortTime and Layout.interval in time.go. The end of a period omits the day of its start.
function moment(time, at) {
  const year = (date) => date.getFullYear(), before = time.previousElementSibling;
  const parts = {
    weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hourCycle: "h23",
    second: at.getSeconds() ? "2-digit" : undefined, year: year(at) === year(new Date()) ? undefined : "numeric",
    timeZoneName: time.dataset.time === "from" ? undefined : "short",
  };
  if (time.dataset.time === "until" && new Date(before.dateTime).toDateString() === at.toDateString()) {
    for (const part of ["weekday", "day", "month", "year"]) delete parts[part];
  }
  return new Intl.DateTimeFormat("en-GB", parts).format(at).replaceAll(",", "");
}

function span(seconds) {
  const minute = 60, hour = 3600, oneDay = 86400;
  if (seconds < minute) return `${Math.floor(seconds)} s`;
  if (seconds < hour) return `${Math.floor(seconds / minute)} min`;
  if (seconds < oneDay) return `${Math.floor(seconds / hour)} h`;
  const days = Math.floor(seconds / oneDay), hours = Math.floor((seconds % oneDay) / hour);
  return days < 10 && hours > 0 ? `${days} d ${hours} h` : `${days} d`;
}

// relative and left format like the functions in time.go.
function relative(seconds) {
  if (Math.abs(seconds) < 30) return "now";
  return seconds < 0 ? `${span(-seconds)} ago` : `in ${span(seconds)}`;
}

function left(seconds) {
  return seconds < 0 ? `${span(-seconds)} over` : `${span(seconds)} left`;
}

function words(time) {
  const at = new Date(time.dateTime), seconds = (at - Date.now()) / 1000;
  switch (time.dataset.time) {
    case "relative": return relative(seconds);
    case "left": return left(seconds);
    case "moment": case "from": case "until": return rewrite ? moment(time, at) : null;
    default: {
      if (!rewrite) return null;
      const parts = new Intl.DateTimeFormat("en-GB", formats[time.dataset.time] ?? formats.full);
      return parts.format(at).replace(",", ""); // Mon 7 Dec 2026, 13:00 CET, as the server writes it
    }
  }
}

function refreshTimes() {
  for (const time of document.querySelectorAll("time[data-time]")) {
    const text = words(time);
    if (text !== null && text !== time.textContent) time.textContent = text;
  }
  if (rewrite) for (const note of document.querySelectorAll("[data-hours]")) note.hidden = note.dataset.hours === zone;
}

refreshTimes();
setInterval(refreshTimes, 10_000);
document.addEventListener("htmx:afterSettle", refreshTimes);

// Light and dark. Without a choice the system's setting applies.
export function toggleTheme() {
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  remember("theme", root.dataset.theme);
}

for (const button of document.querySelectorAll('[data-action="theme"]')) {
  button.hidden = false;
  button.addEventListener("click", toggleTheme);
}

// An open menu closes when something else is clicked, and on Escape.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// Prevents submitting a form twice by a double click; the server would accept it only once anyway.
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented || event.target.method !== "post") return;
  setTimeout(() => {
    for (const button of event.target.querySelectorAll("button[type=submit]")) button.disabled = true;
  });
});
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  for (const button of document.querySelectorAll("button[type=submit][disabled]")) button.disabled = false;
});
