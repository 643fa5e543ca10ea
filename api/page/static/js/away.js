// Shows a banner while a page's stream of changes is disconnected. Scripts with a stream of their own call lost and
// back; for the streams of htmx this script listens itself.
const patience = 2000; // milliseconds: a short interruption is not shown

let timer = null;

function show(away) {
  const banner = document.querySelector("#away");
  if (banner) banner.hidden = !away;
}

export function lost() {
  timer ??= setTimeout(show, patience, true);
}

export function back() {
  clearTimeout(timer);
  timer = null;
  show(false);
}

// The server sends changes that were missed when the stream reconnects.
document.addEventListener("htmx:sseError", lost);
document.addEventListener("htmx:sseOpen", back);
