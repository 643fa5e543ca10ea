package browsertest

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/chromedp/chromedp"
)

//go:embed overflow.js
var overflow string

//go:embed testdata/axe/axe.min.js
var axe string

// violation is a violation of an axe-core rule.
type violation struct {
	ID     string
	Impact string
	Help   string
	Nodes  []struct {
		Target         []any // selectors, one for each shadow root or frame
		FailureSummary string
		HTML           string
	}
}

func (v violation) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s): %s", v.ID, v.Impact, v.Help)
	for _, n := range v.Nodes {
		why := strings.Join(strings.Fields(n.FailureSummary), " ")
		fmt.Fprintf(&b, "\n    at %v: %s\n      %.200s", n.Target, why, n.HTML)
	}
	return b.String()
}

// Accessibility returns the violations of all axe-core rules in the current page. It requires scripts.
func (p *Page) Accessibility() []string {
	p.t.Helper()
	// The protocol may run scripts that the page's policy forbids.
	if _, err := evaluate[chromedp.Void](p, axe); err != nil {
		p.fail("load axe-core: %v", err)
	}
	found, err := evaluate[[]violation](p, `axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations)`, chromedp.EvalAwaitPromise)
	if err != nil {
		p.fail("run axe-core: %v", err)
	}
	var all []string
	for _, v := range found {
		all = append(all, v.String())
	}
	return all
}

// Overflow returns the elements that make the page scroll horizontally.
func (p *Page) Overflow() []string {
	p.t.Helper()
	return Value[[]string](p, "("+overflow+")()")
}

// Weight returns the size of the page: bytes transferred, including headers, and what they were for.
func (p *Page) Weight() (int, []string) {
	p.t.Helper()
	p.Settle()
	bytes, loads := p.watch.weight()
	return int(bytes), loads
}
