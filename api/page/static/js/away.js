// Tells that the desk can't be reached while a page's stream of changes is lost, and takes that away when it is back.
// Who keeps a stream of its own calls lost and back; for those of htmx this listens itself.
const patience = 2000; // milliseconds: a stream that ends for a moment is nobody's business

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

// What changed meanwhile the server tells whoever comes back.
document.addEventListener("htmx:sseError", lost);
document.addEventListener("htmx:sseOpen", back);
