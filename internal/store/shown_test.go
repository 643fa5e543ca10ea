package store_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// TestStep_whatTheRequesterSeesAsTheLastChange: notes, refusals of staff's commands and the like leave it alone, or the
// requester would be told that they were written. The migration comes to the same for tickets of before.
func TestStep_whatTheRequesterSeesAsTheLastChange(t *testing.T) {
	d := open(t)
	migration, err := os.ReadFile("migrations/00027_shown.sql")
	if err != nil {
		t.Fatal(err)
	}
	_, fill, _ := strings.Cut(string(migration), "timestamptz(0);")
	n := d.taken(d.customer)
	for _, c := range []struct {
		by      desk.Person
		request desk.Request
		seen    bool
	}{
		{d.agent, desk.Request{Verb: ticket.VerbNote, Body: "They are lying."}, false},
		{d.agent, desk.Request{Verb: ticket.VerbAssign}, true},
		{d.agent, desk.Request{Verb: ticket.VerbAssign}, false}, // refused: they have it
		{d.agent, desk.Request{Verb: ticket.VerbAgentReply, Body: "We are on it."}, true},
		{d.agent, desk.Request{Verb: ticket.VerbReclassify, Priority: "high"}, true},
		{d.supervisor, desk.Request{Verb: ticket.VerbAcknowledge}, false}, // refused: nothing is escalated
		{d.customer, desk.Request{Verb: ticket.VerbClose}, true},          // refused, and they asked for it
		{d.customer, desk.Request{Verb: ticket.VerbCustomerReply, Body: "Thanks."}, true},
		{d.agent, desk.Request{Verb: ticket.VerbNote, Body: "Not lying."}, false},
		{d.agent, desk.Request{Verb: ticket.VerbResolve, Body: "Done."}, true},
	} {
		before := time.Now().Add(-time.Hour).Truncate(time.Second)
		d.sql(`UPDATE tickets SET updated_at = $2, shown_at = $2 WHERE number = $1`, n, before)
		d.sql(`UPDATE events SET recorded_at = $2 WHERE ticket = $1`, n, before)
		c.request.Number = n
		d.do(c.by, c.request)
		for from, act := range map[string]func(){"the step": func() {}, "the migration": func() { d.sql(fill) }} {
			act()
			record, err := d.Ticket(t.Context(), d.customer, n)
			if err != nil {
				t.Fatal(err)
			}
			if moved := record.Shown.After(before); moved != c.seen || !record.Updated.After(before) {
				t.Errorf("%s %q by %s: %s has the last change move: %t", c.request.Verb, c.request.Body, c.by.Role, from, moved)
			}
		}
	}
}
