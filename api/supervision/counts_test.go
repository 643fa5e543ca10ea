package supervision_test

import (
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/panel"
	"github.com/holesalemart/supportdesk/api/supervision"
	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/demotest"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/report"
	"github.com/holesalemart/supportdesk/internal/sitetest"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// demoDesk returns a desk with the tickets of the demonstration, and all pages of staff.
func demoDesk(t *testing.T) *browser {
	t.Helper()
	d := demotest.New(t, 600)
	o := &fixture{Fixture: sitetest.New(t, d.Store), t: t, feed: &feed{}, wakeCounter: &wakeCounter{}}
	o.People["sam"] = d.Supervisor
	log := slog.New(slog.DiscardHandler)
	o.Start(log)
	o.server = o.Serve(page.Config{Log: log}, "",
		supervision.New(app.NewReports(o.Store), o.Store, app.NewSuggestions(o.Store), o.Staffing, o.feed, app.NewEmergencies(o.Store, o.Store, o.Store, o.Store, o.wakeCounter),
			app.NewPolicies(o.Store, o.Store, o.Store, noopWaker{})).Area(),
		panel.New(o.Desk, o.Workspace, o.Staffing, o.Store, o.Files, o.Outcomes).Area())
	b := o.browser("sam")
	n, _ := b.get("/desk?queue=unassigned").Find("#rows [data-number]").First().Attr("data-number")
	until := time.Now().Add(24 * time.Hour)
	if _, _, _, err := o.Desk.Command(t.Context(), d.Supervisor, desk.Request{Number: ticket.Number(n), Verb: ticket.VerbSnooze, Until: until}); err != nil {
		t.Fatal(err)
	}
	for b.listed("/desk?queue=snoozed") == 0 {
		if t.Context().Err() != nil {
			t.Fatal("no ticket is snoozed")
		}
		time.Sleep(10 * time.Millisecond)
	}
	return b
}

// listed counts the tickets in a list, over all pages.
func (b *browser) listed(address string) int {
	b.t.Helper()
	n := 0
	for address != "" {
		a := b.get(address)
		if a.Status != http.StatusOK {
			b.t.Fatalf("%s: %d", address, a.Status)
		}
		n += a.Find("#rows .item").Length()
		address = a.Find("#rows .more a.button").AttrOr("href", "")
	}
	return n
}

func number(t *testing.T, s *goquery.Selection) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(s.Text()))
	if err != nil {
		t.Errorf("%q is not a number", s.Text())
	}
	return n
}

// Every number on the overview equals the length of the list that it links to.
func TestDashboard_countsMatchTheirLists(t *testing.T) {
	b := demoDesk(t)
	overview := b.page("/supervision")
	counted := 0
	check := func(what, address string, want int) {
		t.Helper()
		if got := b.listed(address); got != want {
			t.Errorf("%s counts %d, and %s lists %d", what, want, address, got)
		}
		counted += want
	}
	for _, id := range []string{"tile-open", "tile-unassigned", "tile-due", "tile-breached"} {
		tile := overview.Find("#" + id)
		check(id, tile.AttrOr("href", ""), number(t, tile.Find("strong")))
	}
	overview.Find("[id^=status-]").Each(func(_ int, link *goquery.Selection) {
		check(link.Text(), link.AttrOr("href", ""), number(t, link.Closest("tr").Find(".total")))
	})
	overview.Find("[id^=agent-]").Each(func(_ int, link *goquery.Selection) {
		cells, n := link.Closest("tr").Find("td.num"), 0
		for _, i := range []int{0, 1, 4} { // open, waiting, resolved
			n += number(t, cells.Eq(i))
		}
		check(link.Text(), link.AttrOr("href", ""), n)
	})
	if counted == 0 {
		t.Error("no counts found")
	}
	check("escalated", "/desk?queue=all&escalated=unacknowledged", number(t, overview.Find("#tile-escalated strong")))
	if more := overview.Find("section[aria-labelledby=escalations] .more a"); more.Length() > 0 && more.AttrOr("href", "") != "/desk?queue=all&escalated=unacknowledged" {
		t.Errorf("the link to all escalations is %s", more.AttrOr("href", ""))
	}
	for id, rows := range map[string]string{"tile-waiting": "waiting", "tile-bounced": "bounced"} {
		mail := b.page(overview.Find("#"+id).AttrOr("href", ""))
		want := min(number(t, overview.Find("#"+id+" strong")), report.MaxMails)
		if got := mail.Find("section[aria-labelledby=" + rows + "] tbody tr").Length(); got != want {
			t.Errorf("%s counts %d, and the page of mail lists %d", id, want, got)
		}
	}
}

// The same holds for the queues of the panel.
func TestQueues_countsMatchTheirLists(t *testing.T) {
	b := demoDesk(t)
	counted := 0
	b.get("/desk").Find("#queues a:has(.count)").Each(func(_ int, queue *goquery.Selection) {
		counted++
		if got, want := b.listed(queue.AttrOr("href", "")), number(t, queue.Find(".count")); got != want {
			t.Errorf("%s counts %d and lists %d", queue.AttrOr("title", ""), want, got)
		}
	})
	if counted != len(desk.Queues()) {
		t.Errorf("%d queues are counted", counted)
	}
}
