package browsertest_test

import (
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/browsertest"
)

func script(text string) map[string]string { return map[string]string{"/a.js": text} }

const runs = `<script src="/a.js"></script>`

func TestWatch_findsInvisibleFaults(t *testing.T) {
	for name, c := range map[string]struct {
		body string
		more map[string]string
		want string
	}{
		"an inline script":       {body: `<script>1</script>`, want: "script-src-elem"},
		"an inline handler":      {body: `<button onclick="1">x</button>`, want: "script-src-attr"},
		"an inline style":        {body: `<p style="color: red">x</p>`, want: "style-src-attr"},
		"a script from afar":     {body: `<script src="http://127.0.0.2:1/x.js"></script>`, want: "script-src-elem violated by http://127.0.0.2:1"},
		"a call to afar":         {body: runs, more: script(`fetch("http://127.0.0.2:1/x").catch(() => {})`), want: "connect-src"},
		"an error in console":    {body: runs, more: script(`console.error("it", "broke")`), want: "console error: it broke"},
		"a warning in console":   {body: runs, more: script(`console.warn("careful")`), want: "console warning: careful"},
		"an uncaught exception":  {body: runs, more: script(`null.x`), want: "uncaught exception: TypeError"},
		"a rejected promise":     {body: runs, more: script(`Promise.reject(new Error("lost"))`), want: "lost"},
		"a missing script":       {body: runs, want: "/a.js answered 404"},
		"a missing picture":      {body: `<img src="/none.png" alt="None">`, want: "/none.png answered 404"},
		"a broken answer":        {body: runs, more: script(`fetch("/broken")`), want: "/broken answered 500"},
		"a call to what isn't":   {body: runs, more: script(`fetch("/none")`), want: "/none answered 404"},
		"an error with a format": {body: runs, more: script(`console.assert(false, "never")`), want: "never"},
	} {
		t.Run(name, func(t *testing.T) {
			p := browsertest.Open(t, site(t, c.body, c.more), browsertest.Look{})
			p.Goto("/")
			p.Settle()
			if faults := strings.Join(p.Faults(), "\n"); !strings.Contains(faults, c.want) {
				t.Errorf("the faults are %q; none is %q", faults, c.want)
			}
			p.Forgive("")
			if faults := p.Faults(); len(faults) > 0 {
				t.Errorf("forgiven and still there: %q", faults)
			}
		})
	}
}

func TestWatch_hasNoFalsePositives(t *testing.T) {
	p := browsertest.Open(t, site(t, `<form action="/refused" method="post"><label>Word <input name="word"></label><button>Send</button></form>
		<p id="live"></p><script src="/a.js"></script>`, script(`
		new EventSource("/stream").onmessage = e => document.getElementById("live").textContent = e.data;
		fetch("/refused"); console.log("fine")`)), browsertest.Look{})
	p.Goto("/")
	p.SeeOn("#live", "came")
	p.Settle() // though the stream goes on
	p.Fill("Word", "mine")
	p.Click("Send")
	p.See("refused mine")
	if faults := p.Faults(); len(faults) > 0 {
		t.Errorf("a good page has the faults %q", faults)
	}
}

func TestSettle_ignoresRequestsOfThePreviousPage(t *testing.T) {
	p := browsertest.Open(t, site(t, `<a href="/refused">Away</a>`+runs, script(`fetch("/never/stream").catch(() => {})`)), browsertest.Look{})
	p.Goto("/")
	p.Click("Away")
	p.See("refused")
	p.Settle()
}

func TestOpen_failsTheTestForFaults(t *testing.T) {
	browsertest.Require(t)
	r := &recorder{TB: t}
	r.run(func() {
		browsertest.Open(r, site(t, `<p style="color: red">x</p>`, nil), browsertest.Look{}).Goto("/")
	})
	if !r.failed || !strings.Contains(r.said, "style-src-attr") {
		t.Errorf("failed: %t, saying %q", r.failed, r.said)
	}
}
