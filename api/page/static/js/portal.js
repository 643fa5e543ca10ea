// The script of the customers' ticket page. A live update replaces the conversation.
import { startSeen } from "./seen.js";

startSeen(0, () => {}); // the page itself announces changes of the ticket

// folds returns what can be unfolded in the messages, each with its place.
function* folds() {
  for (const line of document.querySelectorAll("#conversation [id]")) {
    for (const [n, fold] of line.querySelectorAll("details").entries()) yield [`${line.id} ${n}`, fold];
  }
}

let unfolded = new Set();
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target.id === "conversation") unfolded = new Set([...folds()].filter(([, fold]) => fold.open).map(([place]) => place));
});
document.addEventListener("htmx:afterSwap", () => {
  for (const [place, fold] of folds()) if (unfolded.has(place)) fold.open = true;
  unfolded.clear();
});
