package portal_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestDashboard_putsFirstWhatWaitsForTheCustomer(t *testing.T) {
	o := newFixture(t)
	b := o.signedIn("clara")
	b.get(http.StatusOK, "/dashboard").wantTexts(t, "main", "Support Ticket", "No open tickets")
	o.submitted("clara", "with us")
	asked, closed := o.submitted("clara", "asked"), o.submitted("clara", "over")
	o.submitted("carl", "not hers")
	o.command("anna", desk.Request{Number: asked, Verb: ticket.VerbRequestInformation, Body: "Which?"})
	o.command("anna", desk.Request{Number: closed, Verb: ticket.VerbClose})
	a := b.get(http.StatusOK, "/dashboard")
	a.wantTexts(t, ".needs-you", "asked", "Waiting for you")
	if rows := a.Line(".ticket-link"); rows != "askedwith us" {
		t.Errorf("the dashboard shows %q", rows)
	}
	a.wantTexts(t, "main", "You’ll get a first response by")
}

func TestList_filtersSearchesAndTurnsPages(t *testing.T) {
	o := newFixture(t)
	b := o.signedIn("clara")
	b.get(http.StatusOK, "/tickets").wantTexts(t, "main", "No tickets yet")
	for i := range 23 {
		o.submitted("clara", fmt.Sprintf("Nr %d", i))
	}
	closed := o.submitted("clara", "zebra crossing")
	o.command("clara", desk.Request{Number: closed, Verb: ticket.VerbWithdraw})
	o.submitted("carl", "zebra of another")

	seen := map[string]int{}
	for path := "/tickets"; path != ""; {
		a := b.get(http.StatusOK, path)
		a.Find(".ticket-row .number").Each(func(_ int, s *goquery.Selection) { seen[s.Text()]++ })
		path, _ = a.Find(`a[rel=next]`).Attr("href")
	}
	if len(seen) != 24 {
		t.Errorf("%d tickets in all pages, want 24", len(seen))
	}
	for path, want := range map[string]int{
		"/tickets?q=zebra": 1, "/tickets?q=Body+of+zebra": 1, "/tickets?status=closed": 1, "/tickets?status=open&q=zebra": 0,
		"/tickets?status=waiting": 0, "/tickets?status=nonsense&q=zebra": 1, "/tickets?q=%22%27%29%3B--": 0,
	} {
		if got := b.get(http.StatusOK, path).Find(".ticket-row").Length(); got != want {
			t.Errorf("%s shows %d, want %d", path, got, want)
		}
	}
	for _, path := range []string{"/tickets?q=" + strings.Repeat("x", 201), "/tickets?after=made-up", "/tickets?q=%00"} {
		b.get(http.StatusUnprocessableEntity, path).wantTexts(t, "main", "That search isn't valid.")
	}
}
