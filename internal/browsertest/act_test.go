package browsertest_test

import (
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/browsertest"
)

const form = `<form action="/refused" method="post">
	<label for="word">Word</label><input id="word" name="word" value="old">
	<label for="text">Longer words (optional)</label><textarea id="text" rows="3"></textarea>
	<label for="kind">Kind</label><select id="kind"><option>General question<option>Order and delivery<option>Other</select>
	<input id="yes" type="checkbox"><label for="yes">I agree</label>
	<button aria-label="Send it">→</button></form>
	<p id="heard"></p><p id="state"></p>`

const hears = `
	const $ = id => document.getElementById(id);
	addEventListener("keydown", e => $("heard").textContent += (e.ctrlKey ? "C-" : "") + (e.shiftKey ? "S-" : "") + e.key + " " + e.isTrusted + "; ");
	addEventListener("change", () => $("state").textContent = $("kind").value + " " + $("yes").checked);`

func TestPage_typesChoosesAndClicks(t *testing.T) {
	p := browsertest.Open(t, site(t, form+runs, script(hears)), browsertest.Look{})
	p.Goto("/")
	p.Fill("word", "Né")
	p.SeeOn("#heard", "C-a true; Delete true; S-N true; Unidentified true")
	if got := browsertest.Value[string](p, `document.getElementById("word").value`); got != "Né" {
		t.Errorf("the field holds %q", got)
	}
	p.Choose("Kind", "Order and delivery")
	p.Click("I agree")
	p.SeeOn("#state", "Order and delivery true")
	p.Press("Control+Enter")
	p.SeeOn("#heard", "C-Enter true")
	p.Press("?")
	p.SeeOn("#heard", "S-? true")
	p.Fill("Longer words", "one\ntwo")
	if got := browsertest.Value[string](p, `document.getElementById("text").value`); got != "one\ntwo" {
		t.Errorf("the lines are %q", got)
	}
	p.Click("Send it")
	p.At("/refused")
	p.See("refused Né")
}

// A shortcut that moves the focus to a field must not type its letter there.
func TestPress_canBePreventedByAHandler(t *testing.T) {
	p := browsertest.Open(t, site(t, `<label>Word <input id="word"></label>`+runs, script(`addEventListener("keydown", e => {
		if (e.key === "r" && e.target.id !== "word") { document.getElementById("word").focus(); e.preventDefault(); } })`)), browsertest.Look{})
	p.Goto("/")
	p.Press("r")
	p.Type("or")
	if got := browsertest.Value[string](p, `document.getElementById("word").value`); got != "or" {
		t.Errorf("the field holds %q", got)
	}
}

func TestFill_waitsUntilTheFieldHasTheFocus(t *testing.T) {
	p := browsertest.Open(t, site(t, `<label>Word <input id="word"></label>`+runs, script(`const word = document.getElementById("word");
		word.addEventListener("mousedown", e => { e.preventDefault(); setTimeout(() => word.focus(), 300); });`)), browsertest.Look{})
	p.Goto("/")
	p.Fill("Word", "late")
	if got := browsertest.Value[string](p, `document.getElementById("word").value`); got != "late" {
		t.Errorf("the field holds %q", got)
	}
}

func TestPage_worksWithoutScripts(t *testing.T) {
	p := browsertest.Open(t, site(t, form+runs+`<noscript>No scripts here</noscript>`, script(hears)), browsertest.Look{NoScript: true})
	p.Goto("/")
	p.See("No scripts here")
	p.Fill("Word", "plain")
	p.Choose("Kind", "Other")
	if got := p.Read("#heard"); got != "" {
		t.Errorf("a script ran: %q", got)
	}
	p.Click("Send it")
	p.See("refused plain")
}

func TestLook_isVisibleToThePage(t *testing.T) {
	p := browsertest.Open(t, site(t, `<p id="seen"></p>`+runs, script(`
		const is = q => matchMedia(q).matches;
		document.getElementById("seen").textContent = [innerWidth, is("(prefers-color-scheme: dark)"), Intl.DateTimeFormat().resolvedOptions().timeZone].join(" ");`)),
		browsertest.Look{Width: 360, Dark: true, Zone: "Asia/Tokyo"})
	p.Goto("/")
	p.SeeOn("#seen", "360 true Asia/Tokyo")
	p.Look(browsertest.Look{})
	p.Reload()
	p.SeeOn("#seen", "1440 false UTC")
}

func TestOpen_windowsAreIsolated(t *testing.T) {
	base := site(t, `<p id="seen"></p>`+runs, script(`
		document.getElementById("seen").textContent = "had " + (localStorage.who || "nobody"); localStorage.who = "somebody";`))
	one, other := browsertest.Open(t, base, browsertest.Look{}), browsertest.Open(t, base, browsertest.Look{})
	one.Goto("/")
	one.SeeOn("#seen", "had nobody")
	one.Reload()
	one.SeeOn("#seen", "had somebody")
	other.Goto("/")
	other.SeeOn("#seen", "had nobody")
}

func TestAccessibility_returnsRuleSelectorAndReason(t *testing.T) {
	p := browsertest.Open(t, site(t, `<img src="data:," id="bare"><p>first</p><p class="pale">pale</p><link rel="stylesheet" href="/a.css">`,
		map[string]string{"/a.css": ".pale { color: #ccc; background: #fff }"}), browsertest.Look{})
	p.Goto("/")
	found := strings.Join(p.Accessibility(), "\n")
	for _, want := range []string{"image-alt (critical)", "#bare", "does not have an alt attribute", "color-contrast (serious)", ".pale", "4.5:1"} {
		if !strings.Contains(found, want) {
			t.Errorf("there is no %q in:\n%s", want, found)
		}
	}
}

func TestAccessibility_findsNothingOnAGoodPage(t *testing.T) {
	p := browsertest.Open(t, site(t, form, nil), browsertest.Look{})
	p.Goto("/")
	if found := p.Accessibility(); len(found) > 0 {
		t.Errorf("axe-core finds %q", found)
	}
}

func TestOverflow_returnsWideElements(t *testing.T) {
	p := browsertest.Open(t, site(t, `<p class="narrow">x</p><div id="wide">x</div><link rel="stylesheet" href="/a.css">`,
		map[string]string{"/a.css": "#wide { width: 500px }"}), browsertest.Look{Width: 360})
	p.Goto("/")
	if found := strings.Join(p.Overflow(), ""); !strings.Contains(found, "div#wide") || strings.Contains(found, "narrow") {
		t.Errorf("what is too wide: %q", found)
	}
	p.Look(browsertest.Look{Width: 600})
	if found := p.Overflow(); len(found) > 0 {
		t.Errorf("nothing is too wide, not %q", found)
	}
}

func TestWeight_countsBytes(t *testing.T) {
	p := browsertest.Open(t, site(t, runs, script("//"+strings.Repeat("x", 50_000))), browsertest.Look{})
	p.NoCache()
	p.Goto("/")
	bytes, loads := p.Weight()
	if bytes < 50_000 || bytes > 52_000 || len(loads) != 2 {
		t.Errorf("the page weighs %d bytes: %q", bytes, loads)
	}
}
