package panel_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"github.com/holesalemart/supportdesk/api/panel"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// TestRoutes_areForStaff, every one of them: a visitor is asked to sign in, a customer is refused,
// and neither changes anything.
func TestRoutes_areForStaff(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "A ticket of hers", "Please help.")
	before := o.ticket(n)
	visitor, customer := o.browser(""), o.browser("clara")
	for _, r := range panel.New(nil, nil, nil, nil, nil, nil).Area().Routes {
		if strings.HasPrefix(r.Path, "/e/") {
			continue // the link in a mail: see TestEscalationLink
		}
		path := strings.NewReplacer(":number", string(n), ":id", "1").Replace(r.Path)
		if got := visitor.do(r.Method, path, nil, nil); r.Method == http.MethodGet && got.Status != http.StatusSeeOther || r.Method == http.MethodPost && got.Status != http.StatusUnauthorized {
			t.Errorf("%s %s answers a visitor %d", r.Method, path, got.Status)
		}
		if got := customer.do(r.Method, path, nil, nil); got.Status != http.StatusForbidden || strings.Contains(got.Body, "A ticket of hers") {
			t.Errorf("%s %s answers a customer %d", r.Method, path, got.Status)
		}
		for _, role := range ticket.Roles() {
			if r.Access.Allows == nil || r.Access.Allows(role) != role.Staff() {
				t.Errorf("%s %s lets %s in, or staff not", r.Method, path, role)
			}
		}
	}
	if after := o.ticket(n); after.LastCommand != before.LastCommand {
		t.Errorf("%d commands of people without permission were accepted", after.LastCommand-before.LastCommand)
	}
}

// TestRoutes_knowNoTicketThatIsNotThere, and no number that is none.
func TestRoutes_knowNoTicketThatIsNotThere(t *testing.T) {
	o := newFixture(t)
	b := o.browser("anna")
	for _, number := range []string{"HM-0000000000", "nonsense", "%3Cscript%3E", "HM-7Q2K9XM4T%00"} {
		for _, r := range panel.New(nil, nil, nil, nil, nil, nil).Area().Routes {
			if !strings.Contains(r.Path, ":number") {
				continue
			}
			path := strings.NewReplacer(":number", number, ":id", "1").Replace(r.Path)
			form := map[string][]string{"body": {"Hello"}}
			if got := b.do(r.Method, path, form, nil); got.Status != http.StatusNotFound {
				t.Errorf("%s %s answers %d", r.Method, path, got.Status)
			}
		}
	}
}

// TestShortcuts_areWhatTheOverviewSays: a key of the overview is on the page, and a key of the page is in the overview.
func TestShortcuts_areWhatTheOverviewSays(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "My parcel is late", "Where is it?")
	if _, err := o.Workspace.SaveCanned(t.Context(), o.People["sam"], desk.CannedReply{Title: "Hello", Body: "Hello.", Shared: true}); err != nil {
		t.Fatal(err)
	}
	b := o.browser("anna")
	page := b.get("/desk/tickets/" + string(n))
	o.ask("sam", desk.Request{Number: n, Verb: ticket.VerbResolve, Body: "Done."})
	resolved := b.get("/desk/tickets/" + string(n)) // it alone can be reopened
	onPage := map[string]bool{}
	for _, a := range []response{page, resolved} {
		a.Find("[aria-keyshortcuts]").Each(func(_ int, s *goquery.Selection) { onPage[s.AttrOr("aria-keyshortcuts", "")] = true })
	}
	inScript := map[string]bool{"j": true, "k": true, "x": true, "?": true, "Enter": true, "Esc": true, "Ctrl+K": true, "z": true, "Ctrl+Enter": true}
	onEscalation := map[string]bool{"h": true}
	listed := map[string]bool{"2": true, "3": true, "4": true, "5": true, "6": true, "7": true} // between 1 and 8
	page.Find("#keys dt").Each(func(_ int, s *goquery.Selection) {
		keys := s.Find("kbd").Map(func(_ int, k *goquery.Selection) string { return k.Text() })
		if keys[0] == "Ctrl" || keys[0] == "Shift" {
			keys = []string{strings.Join(keys, "+")}
		}
		for _, key := range keys {
			listed[key] = true
			if key != "…" && !onPage[key] && !inScript[key] && !onEscalation[key] {
				t.Errorf("the overview lists %q, and nothing on the page has it", key)
			}
		}
	})
	for key := range onPage {
		if !listed[key] {
			t.Errorf("the overview does not tell of %q", key)
		}
	}
}
