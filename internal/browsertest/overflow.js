// A function that names what makes the page wider than its window, leaving out what scrolls within a part of it.
() => {
  const wide = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth <= wide) return [];
  const contained = e => {
    for (;;) {
      e = getComputedStyle(e).position === "absolute" ? e.offsetParent : e.parentElement;
      if (!e || e === document.body) return false;
      if (getComputedStyle(e).overflowX !== "visible") return true;
    }
  };
  const name = e => e.tagName.toLowerCase() + (e.id && "#" + e.id) + [...e.classList].map(c => "." + c).join("");
  const all = [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > wide + 1 && !contained(e));
  return [`the page is ${document.documentElement.scrollWidth} wide: ${all.map(name).slice(0, 8).join(", ")}`];
}
