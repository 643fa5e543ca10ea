package e2e_test

import (
	"maps"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/holesalemart/supportdesk/internal/browsertest"
)

// maxWeight is what a page may cost when it is opened for the first time, in bytes as they are sent.
const maxWeight = 150 << 10

// nowhere is a page that there isn't: even that is to be readable.
const nowhere = "/no-such-page"

// looks are how a page is looked at.
type looks map[string]browsertest.Look

// Each page is walked past twice, as usual and with a notice of an emergency above it: both times in light and dark,
// wide and narrow.
var (
	asUsual    = looks{"light": {}, "dark on a phone": {Width: 360, Height: 740, Dark: true}}
	withNotice = looks{"dark": {Dark: true}, "light on a phone": {Width: 360, Height: 740}}
)

// walks are everyone's ways through the pages whose kinds match, the longest first.
func walks(as looks, kinds string) []journey {
	return []journey{
		{"agents can read every page that they find", walkAs(as, "agent@demo.example", kinds, "/")},
		{"supervisors can read every page of theirs", walkAs(as, "supervisor@demo.example", "/supervision.*|/desk/mail/blocked", "/supervision", "/desk/mail/blocked")},
		{"customers can read every page that they find", walkAs(as, "customer@demo.example", kinds, "/")},
		{"visitors can read every page that they find", walkAsVisitor(as, kinds)},
		{"administrators can read every page of theirs", walkAs(as, "administrator@demo.example", "/people.*|/sign-in/again", "/people", "/sign-in/again")},
	}
}

// walkAs opens one page of each kind that links lead someone to, and checks it. Of pages that others see as well it
// leaves out those whose kind does not match only.
func walkAs(as looks, address, only string, first ...string) func(*testing.T, *stack) {
	wanted := regexp.MustCompile("^(?:" + only + ")$")
	return func(t *testing.T, s *stack) {
		p := s.window(address, browsertest.Look{})
		p.NoCache()
		seen, reported := map[string]bool{}, map[string]bool{}
		queue := first
		for len(queue) > 0 {
			page := queue[0]
			queue = queue[1:]
			if kind := kindOf(page); wanted.MatchString(kind) && !seen[kind] {
				seen[kind] = true
				p.Look(browsertest.Look{})
				p.Goto(page)
				checkPage(t, p, page, as, reported)
				queue = append(queue, links(p)...)
			}
		}
		t.Logf("%d kinds of pages: %s", len(seen), strings.Join(slices.Sorted(maps.Keys(seen)), " "))
	}
}

// walkAsVisitor begins at what no link leads to, too: an address that does not exist, and a ticket's that someone tracks.
func walkAsVisitor(as looks, kinds string) func(*testing.T, *stack) {
	return func(t *testing.T, s *stack) {
		walkAs(as, "", kinds, "/", nowhere, "/track/"+s.customer.submit("Followed by its number", "words"))(t, s)
	}
}

// walked are the kinds of pages that some test has looked at, with the parameters of their paths left out.
var walked sync.Map

// checkHere looks at the page that is open, which a form may have led to.
func checkHere(t *testing.T, p *browsertest.Page, as looks) {
	t.Helper()
	checkPage(t, p, browsertest.Value[string](p, "location.pathname"), as, map[string]bool{})
	p.Look(browsertest.Look{})
}

// checkPage looks at the page that is open. What is in reported is not reported again.
func checkPage(t *testing.T, p *browsertest.Page, page string, as looks, reported map[string]bool) {
	t.Helper()
	kind, _, _ := strings.Cut(kindOf(page), "?")
	walked.Store(kind, true)
	if lost := browsertest.Value[bool](p, `!!document.querySelector(".failure")`); lost != (page == nowhere) {
		t.Errorf("%s: there is no such page: %v", page, lost)
	}
	if weight, parts := p.Weight(); weight > maxWeight {
		t.Errorf("%s weighs %d bytes:\n  %s", page, weight, strings.Join(parts, "\n  "))
	}
	for name, look := range as {
		p.Look(look)
		p.Settle()
		for _, found := range append(p.Accessibility(), p.Overflow()...) {
			if !reported[found] {
				t.Errorf("%s, %s: %s", page, name, found)
			}
			reported[found] = true
		}
	}
	for _, fault := range p.TakeFaults() {
		t.Errorf("%s: %s", page, fault)
	}
}

// unseen are pages that no one can look at: streams, files, parts of pages, and what leads on to others at once.
var unseen = regexp.MustCompile(`/live$|\.csv$|^/files/|^/f/|/raw$|^/c/|^/sign-in/openid|/canned/:id$`)

// checkAllWalked holds the walks to the website's own table of routes.
func checkAllWalked(t *testing.T) {
	table, err := os.ReadFile("../../cmd/supportdesk/testdata/routes.golden")
	if err != nil {
		t.Fatal(err)
	}
	for _, route := range regexp.MustCompile(`(?m)^GET +(\S+)`).FindAllStringSubmatch(string(table), -1) {
		kind := regexp.MustCompile(`:\w+`).ReplaceAllString(route[1], "…")
		if _, seen := walked.Load(kind); !seen && !unseen.MatchString(route[1]) {
			t.Errorf("no test has looked at %s", route[1])
		}
	}
}

// links are the pages that a page leads to.
func links(p *browsertest.Page) []string {
	return browsertest.Value[[]string](p, `[...document.querySelectorAll("a[href]:not([download])")]
		.filter(a => a.origin === location.origin && !/^\/(static|api|dev|files)\/|\.(csv|json)$/.test(a.pathname))
		.map(a => a.pathname + a.search)`)
}

var changing = regexp.MustCompile(`/([A-Z]{1,8}-[0-9A-Z]{10}|[0-9]+|[0-9a-f-]{20,}|[A-Za-z0-9_-]{22,})(/|$)`)

// kindOf is a page without what changes from one of its kind to the next: numbers, IDs, what is asked for.
func kindOf(page string) string {
	u, err := url.Parse(page)
	if err != nil {
		return page
	}
	kind := changing.ReplaceAllString(u.Path, "/…$2")
	if asked := slices.Sorted(maps.Keys(u.Query())); len(asked) > 0 {
		kind += "?" + strings.Join(asked, "&")
	}
	return kind
}
