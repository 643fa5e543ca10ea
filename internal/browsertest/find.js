// A function that finds what a person means by a name, or a selector, and says where to click it.
// how: "action" (links, buttons, switches), "field" (what can be typed or chosen in) or "css".
(how, wanted) => {
  if (document.readyState !== "complete") return {why: "the page is loading"}; // and its scripts do not listen yet
  const squeeze = s => (s || "").replace(/\s+/g, " ").trim().toLowerCase();
  const seen = e => e.getClientRects().length > 0 && e.checkVisibility({visibilityProperty: true});
  const text = ids => ids.split(/\s+/).map(id => document.getElementById(id)?.textContent).join(" ");
  const names = e => [
    e.getAttribute("aria-labelledby") && text(e.getAttribute("aria-labelledby")),
    e.getAttribute("aria-label"),
    ...[...(e.labels || [])].map(l => l.innerText),
    /^(submit|button|reset)$/.test(e.type) && e.value,
    !/^(INPUT|SELECT|TEXTAREA)$/.test(e.tagName) && e.innerText,
    e.title, e.placeholder, e.alt,
  ].map(squeeze).filter(Boolean);
  const kinds = {
    action: "a[href],button,summary,label,input[type=submit],input[type=button],input[type=radio],input[type=checkbox]," +
      "[role=button],[role=option],[role=menuitem],[role=tab],[role=link],[role=radio],[role=checkbox]",
    field: "input:not([type=hidden]):not([type=submit]):not([type=button]),textarea,select,[contenteditable=true]",
    css: wanted,
  };
  const all = [...document.querySelectorAll(kinds[how])].filter(seen);
  const name = squeeze(wanted);
  const by = test => all.filter(e => names(e).some(test));
  const found = how === "css" ? all : [...new Set([
    ...by(n => n === name), ...by(n => n.startsWith(name)), ...by(n => n.includes(name)),
  ])];
  let why = `there is no visible ${how} ${wanted}`;
  for (const e of found) {
    if (e.disabled) { why = `${wanted} is disabled`; continue; }
    e.scrollIntoView({block: "center", inline: "center", behavior: "instant"});
    const box = e.getClientRects()[0];
    const x = box.left + box.width / 2, y = box.top + box.height / 2;
    const hit = document.elementFromPoint(x, y);
    if (hit && (e.contains(hit) || hit.contains(e) && e.getClientRects().length > 1 || hit.closest("label")?.control === e)) {
      return {x, y, value: String(e.value ?? ""), tag: e.tagName};
    }
    why = `${wanted} is covered by ${hit ? hit.outerHTML.slice(0, 120) : "nothing: it lies outside the window"}`;
  }
  return {why};
}
