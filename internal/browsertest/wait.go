package browsertest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
)

// See waits until all texts are visible on the page. Case and white space are ignored.
func (p *Page) See(texts ...string) {
	p.t.Helper()
	for _, text := range texts {
		p.Until(fmt.Sprintf("the page says %q", text), "("+squeezed+").includes("+quote(squeeze(text))+")")
	}
}

// SeeNot waits until a text is not visible on the page.
func (p *Page) SeeNot(text string) {
	p.t.Helper()
	p.Until(fmt.Sprintf("the page no longer says %q", text), "!("+squeezed+").includes("+quote(squeeze(text))+")")
}

const squeezed = `document.body.innerText.replace(/\s+/g, " ").toLowerCase()`

func squeeze(text string) string { return strings.ToLower(strings.Join(strings.Fields(text), " ")) }

// SeeOn waits until an element that a CSS selector matches is visible and contains a text, which may be "".
func (p *Page) SeeOn(selector, text string) {
	p.t.Helper()
	p.Until(fmt.Sprintf("%s says %q", selector, text), fmt.Sprintf(
		`[...document.querySelectorAll(%s)].some(e => e.getClientRects().length > 0 && e.innerText.replace(/\s+/g, " ").toLowerCase().includes(%s))`,
		quote(selector), quote(squeeze(text))))
}

// At waits until the page is loaded and its path and query match a pattern completely, and returns the first group or
// the entire match.
func (p *Page) At(pattern string) string {
	p.t.Helper()
	whole := regexp.MustCompile("^(?:" + pattern + ")$")
	var found []string
	p.wait("the page is "+pattern, func() (bool, string) {
		at, err := evaluate[string](p, `document.readyState === "complete" ? location.pathname + location.search : "a page that loads"`)
		if err != nil {
			return false, err.Error()
		}
		found = whole.FindStringSubmatch(at)
		return found != nil, at
	})
	return found[min(1, len(found)-1)]
}

// Until waits until an expression is true in the page.
func (p *Page) Until(what, expression string) {
	p.t.Helper()
	p.wait(what, func() (bool, string) {
		holds, err := evaluate[bool](p, "!!("+expression+")")
		if err != nil {
			return false, err.Error()
		}
		return holds, "it isn't so"
	})
}

// Settle waits until no requests are pending, except event streams.
func (p *Page) Settle() {
	p.t.Helper()
	p.wait("the page is complete", func() (bool, string) {
		complete, err := evaluate[bool](p, `document.readyState === "complete"`)
		pending := p.watch.pending()
		return err == nil && complete && len(pending) == 0, fmt.Sprint(pending, err)
	})
}

// Read returns the text of the first element that a CSS selector matches, once there is one.
func (p *Page) Read(selector string) string {
	p.t.Helper()
	return Value[string](p, "document.querySelector("+quote(selector)+")?.innerText")
}

// Value returns the value of an expression, or of its promise, once it is not null.
func Value[T any](p *Page, expression string) T {
	p.t.Helper()
	var value T
	p.wait(expression+" is something", func() (bool, string) {
		var err error
		value, err = evaluate[T](p, expression, chromedp.EvalAwaitPromise)
		return err == nil, fmt.Sprint(err)
	})
	return value
}

// wait polls until a condition holds. Errors while the page is being replaced are ignored.
func (p *Page) wait(what string, holds func() (bool, string)) {
	p.t.Helper()
	var seen string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(lookAgain) {
		var ok bool
		if ok, seen = holds(); ok {
			return
		}
	}
	p.fail("%s: not within %s; last seen: %s", what, patience, seen)
}

// fail ends the test and stores the page.
func (p *Page) fail(format string, args ...any) {
	p.t.Helper()
	p.t.Fatalf("%s\n%s", fmt.Sprintf(format, args...), p.dump())
}

// dump writes a screenshot and the HTML of the page and returns their paths.
func (p *Page) dump() string {
	dir := filepath.Join(os.TempDir(), "supportdesk-seen", regexp.MustCompile(`[^\w-]+`).ReplaceAllString(p.t.Name(), "_"))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Sprintf("(no picture: %v)", err)
	}
	ctx, cancel := context.WithTimeout(p.ctx, 10*time.Second)
	defer cancel()
	p.dumps++
	base := filepath.Join(dir, fmt.Sprint(time.Now().UnixNano()))
	report := strings.Builder{}
	at, _ := chromedp.Run(ctx, chromedp.Location())
	fmt.Fprintf(&report, "the page was %s\n", at)
	keep := func(file string, body []byte, err error) {
		if err == nil {
			err = os.WriteFile(file, body, 0o600)
		}
		if err != nil {
			fmt.Fprintf(&report, "(no %s: %v)\n", filepath.Ext(file), err)
			return
		}
		fmt.Fprintf(&report, "see %s\n", file)
	}
	html, err := chromedp.Run(ctx, chromedp.Evaluate[string]("document.documentElement.outerHTML"))
	keep(base+".html", []byte(html), err)
	picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
	keep(base+".png", picture, err)
	if faults := p.watch.unforgiven(); len(faults) > 0 {
		fmt.Fprintf(&report, "in the window:\n  %s\n", strings.Join(faults, "\n  "))
	}
	return report.String()
}
