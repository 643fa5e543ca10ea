package store_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// ratingsByAgent returns the number of ratings that the report counts for each agent.
func (d *fixture) ratingsByAgent() map[ticket.PersonID]int {
	d.t.Helper()
	r, err := d.reports().Ratings(d.t.Context(), ago(30), time.Now().Add(time.Hour))
	if err != nil {
		d.t.Fatal(err)
	}
	of := map[ticket.PersonID]int{}
	for _, line := range r.Agents {
		of[line.Agent.ID] = line.Count()
	}
	return of
}

func TestRatings_stayWithWhoHadTheTicketThen(t *testing.T) {
	d := open(t)
	n := d.resolved()
	if err := d.rate(d.customer, n, 5, "Quick."); err != nil {
		t.Fatal(err)
	}
	d.do(d.supervisor, desk.Request{Number: n, Verb: ticket.VerbAssign, Agent: d.second.Handle})
	if of := d.ratingsByAgent(); of[d.agent.ID] != 1 || of[d.second.ID] != 0 {
		t.Errorf("another has the ticket now: %v", of)
	}
	comments, err := d.Comments(t.Context(), ago(1), time.Now().Add(time.Hour), 10)
	if err != nil || len(comments) != 1 || comments[0].Agent.ID != d.agent.ID {
		t.Errorf("the comment is of %+v, %v", comments, err)
	}
	if err := d.rate(d.customer, n, 1, "Then I waited."); err != nil {
		t.Fatal(err)
	}
	if of := d.ratingsByAgent(); of[d.agent.ID] != 0 || of[d.second.ID] != 1 {
		t.Errorf("changed when another had it: %v", of)
	}
}

// TestMigration_knowsWhoHadTheTicketsRatedBefore lets the migration fill the column anew, from the events, and compares.
// Imports fill it too.
func TestMigration_knowsWhoHadTheTicketsRatedBefore(t *testing.T) {
	file, err := os.ReadFile("migrations/00007_ratings.sql")
	if err != nil {
		t.Fatal(err)
	}
	_, fill, _ := strings.Cut(string(file), "-- Ratings from before this column.")
	fill, _, _ = strings.Cut(fill, "\n\n")
	d := open(t)
	rated := func(actions ...desk.ImportAction) {
		c := d.past(3, actions...)
		c.Rating = &desk.Rating{Score: 4, At: ago(1)}
		d.imports(c)
	}
	resolve := desk.ImportAction{By: d.agent, At: ago(2), Verb: ticket.VerbResolve, Body: "Done."}
	rated(resolve)
	rated(resolve, desk.ImportAction{By: d.second, At: ago(.5), Verb: ticket.VerbAssign})
	rated(resolve, desk.ImportAction{By: d.second, At: ago(1.5), Verb: ticket.VerbAssign})
	rated(desk.ImportAction{By: d.customer, At: ago(2), Verb: ticket.VerbWithdraw})
	for _, of := range []map[ticket.PersonID]int{d.ratingsByAgent(), d.refilled(fill)} {
		if of[d.agent.ID] != 2 || of[d.second.ID] != 1 || of[""] != 1 {
			t.Errorf("got %v", of)
		}
	}
}

func (d *fixture) refilled(fill string) map[ticket.PersonID]int {
	d.t.Helper()
	d.sql(`UPDATE ratings SET agent = NULL`)
	d.sql(fill)
	return d.ratingsByAgent()
}
