package panel_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/api/panel"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// TestRoutes_areForStaff, every one of them: a visitor is asked to sign in, a customer is told that it is not theirs,
// and neither changes anything.
func TestRoutes_areForStaff(t *testing.T) {
	o := openOffice(t)
	n := o.submit("clara", "A ticket of hers", "Please help.")
	before := o.ticket(n)
	visitor, customer := o.browser(""), o.browser("clara")
	for _, r := range panel.New(nil, nil, nil).Area().Routes {
		path := strings.NewReplacer(":number", string(n), ":id", "1").Replace(r.Path)
		if got := visitor.do(r.Method, path, nil, nil); r.Method == http.MethodGet && got.status != http.StatusSeeOther || r.Method == http.MethodPost && got.status != http.StatusUnauthorized {
			t.Errorf("%s %s answers a visitor %d", r.Method, path, got.status)
		}
		if got := customer.do(r.Method, path, nil, nil); got.status != http.StatusForbidden || strings.Contains(got.text, "A ticket of hers") {
			t.Errorf("%s %s answers a customer %d", r.Method, path, got.status)
		}
		for _, role := range ticket.Roles() {
			if r.Access.Allows == nil || r.Access.Allows(role) != role.Staff() {
				t.Errorf("%s %s lets %s in, or staff not", r.Method, path, role)
			}
		}
	}
	if after := o.ticket(n); after.Pending != before.Pending {
		t.Errorf("somebody who may not asked for %d things", after.Pending-before.Pending)
	}
}

// TestRoutes_knowNoTicketThatIsNotThere, and no number that is none.
func TestRoutes_knowNoTicketThatIsNotThere(t *testing.T) {
	o := openOffice(t)
	b := o.browser("anna")
	for _, number := range []string{"HM-0000000000", "nonsense", "%3Cscript%3E", "HM-7Q2K9XM4T%00"} {
		for _, r := range panel.New(nil, nil, nil).Area().Routes {
			if !strings.Contains(r.Path, ":number") {
				continue
			}
			path := strings.NewReplacer(":number", number, ":id", "1").Replace(r.Path)
			form := map[string][]string{"body": {"Hello"}}
			if got := b.do(r.Method, path, form, nil); got.status != http.StatusNotFound {
				t.Errorf("%s %s answers %d", r.Method, path, got.status)
			}
		}
	}
}
