package pagetest_test

import (
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/pagetest"
)

const good = `<!doctype html><html lang="en"><head><title>Demo · Support</title><script src="/a.js"></script></head><body>
<main><h1>Demo</h1><form method="post"><label for="a">A</label><input id="a"><label>B <select></select></label>
<button type="submit">Send</button></form><a href="/">Start</a><img alt="" src="x"></main></body></html>`

func TestProblems_findsNoneOnAGoodPage(t *testing.T) {
	pagetest.Check(t, "good", pagetest.Read(t, strings.NewReader(good)))
}

func TestProblems_findsEachOnABadPage(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"no language":     {` lang="en"`, "", "language"},
		"no title":        {"Demo · Support", "", "no title"},
		"two headings":    {"<h1>", "<h1>x</h1><h1>", "2 first headings"},
		"no main part":    {"main>", "div>", "0 main"},
		"a style":         {`<h1>`, `<h1 style="color:red">`, "inline style"},
		"a script":        {`<script src="/a.js">`, `<script>`, "inline style or script"},
		"a handler":       {`<h1>`, `<h1 onclick="x()">`, "onclick"},
		"htmx's handler":  {`<h1>`, `<h1 hx-on:click="x()">`, "hx-on:click"},
		"an id twice":     {`<h1>`, `<h1 id="a">`, "twice"},
		"a lost id":       {`for="a"`, `for="b"`, `names "b"`},
		"no label":        {`<label for="a">A</label>`, "", "nothing labels"},
		"a nameless link": {">Start<", "><", "nothing names"},
		"an untyped one":  {`<button type="submit">`, "<button>", "no type"},
		"no words":        {` alt=""`, "", "no words"},
		"a strange form":  {`method="post"`, `method="delete"`, "sent by delete"},
		"a deletion":      {`<form `, `<form action="/groups/vans/deletion" data-sure=" " `, "no question"},
		"a removal":       {`<button `, `<button formaction="/addresses/removal" `, "no question"},
	} {
		t.Run(name, func(t *testing.T) {
			page := strings.ReplaceAll(good, c.old, c.new)
			found := strings.Join(pagetest.Problems(pagetest.Read(t, strings.NewReader(page))), "\n")
			if !strings.Contains(found, c.want) {
				t.Errorf("found %q, not %q", found, c.want)
			}
		})
	}
}
