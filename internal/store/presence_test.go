package store_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// look records that a person has a ticket open, and whether they are writing.
func (d *fixture) look(by desk.Person, n ticket.Number, writing bool) {
	d.t.Helper()
	if err := d.workspace.RecordPresence(d.t.Context(), by, n, writing); err != nil {
		d.t.Fatal(err)
	}
}

// present returns the names of the people who have a ticket open, with an asterisk if they are writing.
func (d *fixture) present(n ticket.Number) (names []string) {
	d.t.Helper()
	present, err := d.Presences(d.t.Context(), n)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, p := range present {
		name := p.Person.Name
		if p.Writing {
			name += "*"
		}
		names = append(names, name)
	}
	return names
}

// expirePresence makes a person's presence expire.
func (d *fixture) expirePresence(by desk.Person, lasts time.Duration) {
	d.t.Helper()
	d.sql(`UPDATE presences SET seen_at = seen_at - $2::interval, since = since - $2::interval WHERE person = $1`, by.ID, lasts)
}

func TestPresence_showsWhoIsThereAndWrites(t *testing.T) {
	d := open(t)
	n, other := d.taken(d.customer), d.taken(d.customer)
	d.look(d.agent, n, false)
	d.look(d.second, n, false)
	d.look(d.second, n, true)
	d.look(d.supervisor, other, true)
	same(t, d.present(n), "Anna Agent", "Ben Agent*")
	d.expirePresence(d.agent, desk.PresenceLasts-time.Second*10)
	same(t, d.present(n), "Anna Agent", "Ben Agent*")
	d.expirePresence(d.agent, 10*time.Second)
	same(t, d.present(n), "Ben Agent*")
	d.look(d.agent, n, false)
	same(t, d.present(n), "Ben Agent*", "Anna Agent") // back after a gap, and last
	d.look(d.second, n, true)
	same(t, d.present(n), "Ben Agent*", "Anna Agent") // a heartbeat is no arrival
	d.expirePresence(d.agent, desk.PresenceLasts)
	if err := d.EndPresence(t.Context(), d.second, n); err != nil {
		t.Fatal(err)
	}
	same(t, d.present(n))
	same(t, d.present(other), "Sue Supervisor*")
}

func same(t *testing.T, got []string, want ...string) {
	t.Helper()
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestLook_isNewsOnlyWhenSomethingChanged: a heartbeat notifies no one.
func TestLook_isNewsOnlyWhenSomethingChanged(t *testing.T) {
	d := open(t)
	n, other := d.taken(d.customer), d.taken(d.customer)
	changes := d.subscribe(d.listening(), "")
	// announced checks how many presence changes a function announces: those before a change that is always announced.
	announced := func(what string, want int, do func()) {
		t.Helper()
		do()
		d.do(d.agent, desk.Request{Number: other, Verb: ticket.VerbNote, Body: "A note."})
		news := 0
		for _, c := range d.awaitChange(changes, desk.Change{Number: other, Kind: desk.ChangeStepped}) {
			if c == (desk.Change{Number: n, Kind: desk.ChangePresence}) {
				news++
			}
		}
		if news != want {
			t.Errorf("%s is announced %d times, want %d", what, news, want)
		}
	}
	announced("an arrival", 1, func() { d.look(d.agent, n, false) })
	announced("a heartbeat", 0, func() { d.look(d.agent, n, false) })
	announced("another's arrival", 1, func() { d.look(d.second, n, false) })
	announced("writing", 1, func() { d.look(d.agent, n, true) })
	announced("writing on", 0, func() { d.look(d.agent, n, true) })
	announced("no more writing", 1, func() { d.look(d.agent, n, false) })
	announced("leaving", 1, func() {
		if err := d.EndPresence(t.Context(), d.second, n); err != nil {
			t.Error(err)
		}
	})
	announced("leaving again", 0, func() {
		if err := d.EndPresence(t.Context(), d.second, n); err != nil {
			t.Error(err)
		}
	})
	d.expirePresence(d.agent, 2*desk.PresenceLasts)
	announced("coming back", 1, func() { d.look(d.agent, n, false) })
	d.expirePresence(d.agent, 2*desk.PresenceLasts)
	announced("being missed, by someone elsewhere", 1, func() { d.look(d.second, other, false) })
	if left := one[int64](d, `SELECT count(*) FROM presences WHERE person = $1`, d.agent.ID); left != 0 {
		t.Errorf("%d rows are left of who is missing", left)
	}
}

func TestLook_isForStaffAndTicketsThatAreThere(t *testing.T) {
	d := open(t)
	wantKind(t, d.workspace.RecordPresence(t.Context(), d.customer, d.taken(d.customer), false), fault.Forbidden)
	wantKind(t, d.workspace.RecordPresence(t.Context(), d.agent, "HM-0000000000", false), fault.NotFound)
}

// TestLook_manyAtOnce succeeds for all callers, although all of them expire the same presences.
func TestLook_manyAtOnce(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	staff := []desk.Person{d.agent, d.second, d.supervisor, d.administrator}
	var all sync.WaitGroup
	for i := range 32 {
		all.Go(func() {
			for j := range 10 {
				if err := d.workspace.RecordPresence(t.Context(), staff[(i+j)%len(staff)], n, j%2 == 0); err != nil {
					t.Error(err)
				}
				if _, err := d.beside.Exec(t.Context(), `UPDATE presences SET seen_at = '-infinity' WHERE person = $1`, staff[j%len(staff)].ID); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}
