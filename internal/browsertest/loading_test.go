package browsertest_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/browsertest"
)

// A page that a click leads to is there before its scripts are: a person would see that it still loads.
func TestActions_waitForThePagesScripts(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/late.js":
			time.Sleep(500 * time.Millisecond) // a busy machine
			w.Header().Set("Content-Type", "text/javascript")
			_, _ = fmt.Fprint(w, `addEventListener("keydown", e => document.getElementById("heard").textContent += e.key);
				document.querySelector("button").onclick = () => document.getElementById("heard").textContent += "!";`)
		case "/slow":
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = fmt.Fprint(w, `<!doctype html><title>Slow</title><link rel="icon" href="data:,"><script type="module" src="/late.js"></script>
				<label>Word <input autofocus></label><button>Send</button><p id="heard"></p>`)
		default:
			w.Header().Set("Content-Type", "text/html; charset=utf-8")
			_, _ = fmt.Fprint(w, `<!doctype html><title>Page</title><link rel="icon" href="data:,"><a href="/slow">Next</a>`)
		}
	}))
	t.Cleanup(server.Close)
	p := browsertest.Open(t, server.URL, browsertest.Look{})
	p.NoCache()
	for name, act := range map[string]func(){
		"k": func() { p.Press("k") },
		"t": func() { p.Type("t") },
		"w": func() { p.Fill("Word", "w") },
		"!": func() { p.Click("Send") },
	} {
		p.Goto("/")
		p.Click("Next")
		p.See("Word")
		act()
		p.SeeOn("#heard", name)
	}
}
