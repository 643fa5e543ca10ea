package panel_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/pagetest"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestBulk_doesItToEachAndReportsWhatWasRefusedAndWhy(t *testing.T) {
	o := newFixture(t)
	first, second, closed := o.submit("clara", "One", "…"), o.submit("carl", "Two", "…"), o.submit("carl", "Three", "…")
	o.ask("anna", desk.Request{Number: closed, Verb: ticket.VerbClose})
	b := o.browser("anna")
	selected := []string{string(first), string(second), string(closed), "HM-0000000000"}
	a := b.post("/desk/bulk?queue=all", url.Values{"ticket": selected, "do": {"assign"}, "agent": {"bert"}}).wantStatus(http.StatusOK)
	pagetest.Check(t, "the report", a.Document)
	if got := a.Line(".sheet h2"); got != "2 tickets assigned, 2 refused" {
		t.Errorf("the report begins with %q", got)
	}
	if got := a.Line(".refusals"); !strings.Contains(got, string(closed)+" the ticket is closed permanently") || !strings.Contains(got, "HM-0000000000 there is no such ticket") {
		t.Errorf("refused were %q", got)
	}
	for _, n := range []ticket.Number{first, second} {
		if has := o.ticket(n).Assignee; has == nil || has.Handle != "bert" {
			t.Errorf("%s is %v's", n, has)
		}
	}
	part := b.post("/desk/bulk?queue=all", url.Values{"ticket": selected[:1], "do": {"reclassify"}, "priority": {"high"}}, byScript...).wantStatus(http.StatusOK)
	if part.Find("#report[hx-swap-oob]").Length() != 1 || part.Header.Get("HX-Trigger") != `{"desk:changed":{"refused":[]}}` || o.ticket(first).Ticket.Priority != "high" {
		t.Errorf("the part is %.200s", part.Body)
	}
	until := time.Now().Add(48 * time.Hour).UTC().Truncate(time.Second)
	b.post("/desk/bulk", url.Values{"ticket": selected[:2], "do": {"snooze"}, "until": {until.Format(time.RFC3339)}}).wantStatus(http.StatusOK)
	for _, n := range []ticket.Number{first, second} {
		if got := o.ticket(n).Ticket.SnoozedUntil; !got.Equal(until) {
			t.Errorf("%s is snoozed until %s", n, got)
		}
	}
	b.post("/desk/bulk", url.Values{"ticket": selected[:2], "do": {"close"}}).wantStatus(http.StatusOK)
	if got := o.ticket(second).Ticket.Status; got != ticket.StatusClosed {
		t.Errorf("closed it is %s", got)
	}
}

func TestBulk_asksNothingWhenItCannotBeMeant(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "One", "…")
	before := o.ticket(n).LastCommand
	b := o.browser("anna")
	for name, form := range map[string]url.Values{
		"nothing selected": {"do": {"close"}},
		"nothing to do":    {"ticket": {string(n)}},
		"something else":   {"ticket": {string(n)}, "do": {"delete"}},
		"no agent":         {"ticket": {string(n)}, "do": {"assign"}},
		"until no time":    {"ticket": {string(n)}, "do": {"snooze"}, "until": {""}},
		"as nothing":       {"ticket": {string(n)}, "do": {"reclassify"}},
		"no number":        {"ticket": {"<b>"}, "do": {"close"}},
		"too many":         {"ticket": strings.Split(strings.Repeat("HM-7Q2K9XM4TD ", 1)+absentNumbers(101), " "), "do": {"close"}},
	} {
		a := b.post("/desk/bulk", form).wantStatus(http.StatusOK)
		if a.Line("[role=alert]") == "" {
			t.Errorf("%s: it says nothing", name)
		}
	}
	if after := o.ticket(n).LastCommand; after != before {
		t.Errorf("%d commands were asked", after-before)
	}
}

// absentNumbers returns n different numbers of tickets that do not exist.
func absentNumbers(n int) string {
	var all []string
	for range n {
		all = append(all, string(ticket.NewNumber("HM")))
	}
	return strings.Join(all, " ")
}
