package page_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/pagetest"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Notices returns what the test has declared, or an error while the database is away.
func (s *site) Notices(context.Context) ([]desk.Emergency, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.declared, s.away
}

// Emergencies returns none: no page of this test shows the past.
func (s *site) Emergencies(context.Context) ([]desk.Emergency, error) { return nil, nil }

func (s *site) declare(all ...desk.Emergency) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.declared = all
}

func emergency(kind ticket.EmergencyKind, from, until time.Time) desk.Emergency {
	return desk.Emergency{
		Emergency: ticket.Emergency{ID: "E-7Q2K9XM4TD", Kind: kind, From: from, Until: until, Delays: []ticket.Delay{{From: from, By: time.Hour}}},
		Notice:    "The river is in our hall.",
	}
}

func TestNotices_sayWhatIsAndUntilWhen(t *testing.T) {
	s := open(t)
	begun, ahead := time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC), time.Date(2098, 1, 5, 9, 0, 0, 0, time.UTC)
	end := time.Date(2099, 1, 5, 9, 0, 0, 0, time.UTC)
	for want, e := range map[string]desk.Emergency{
		"Our support is closed until further notice. ":                                                               emergency(ticket.EmergencyClosed, begun, time.Time{}),
		"Our support is closed until Mon 5 Jan 2099, 09:00 UTC. ":                                                    emergency(ticket.EmergencyClosed, begun, end),
		"Our support will be closed from Sun 5 Jan 2098, 09:00 UTC until Mon 5 Jan 2099, 09:00 UTC. ":                emergency(ticket.EmergencyClosed, ahead, end),
		"Our responses take longer than usual until further notice. ":                                                emergency(ticket.EmergencyDelayed, begun, time.Time{}),
		"Our responses will take longer than usual from Sun 5 Jan 2098, 09:00 UTC until Mon 5 Jan 2099, 09:00 UTC. ": emergency(ticket.EmergencyDelayed, ahead, end),
	} {
		s.declare(e)
		doc := pagetest.Read(t, strings.NewReader(s.get("/anyone").body))
		got := strings.Join(strings.Fields(doc.Find(".notices").Text()), " ")
		if got != want+"The river is in our hall. What this means" {
			t.Errorf("says %q, want %q", got, want)
		}
		pagetest.Check(t, want, doc)
	}
	s.declare()
	if doc := pagetest.Read(t, strings.NewReader(s.get("/anyone").body)); doc.Find(".notices").Length() != 0 {
		t.Error("a notice of nothing")
	}
}

func TestNotices_areOnErrorPagesToo(t *testing.T) {
	s := open(t)
	s.declare(emergency(ticket.EmergencyClosed, time.Now().Add(-time.Hour), time.Time{}))
	s.as("agent")
	if body := s.get("/anyone").body; !strings.Contains(body, "Our support is closed") {
		t.Fatal("no notice on a page")
	}
	s.mu.Lock()
	s.away = fault.New(fault.Unavailable, "the database is not responding")
	s.mu.Unlock()
	a := s.get("/staff")
	if doc := pagetest.Read(t, strings.NewReader(a.body)); a.StatusCode == http.StatusOK || !strings.Contains(doc.Find(".notices").Text(), "Our support is closed") {
		t.Errorf("%d: %s", a.StatusCode, a.body)
	}
}

func TestNotices_areNoPartOfAPartOfAPage(t *testing.T) {
	s := open(t)
	s.declare(emergency(ticket.EmergencyClosed, time.Now().Add(-time.Hour), time.Time{}))
	if a := s.get("/anyone", "HX-Request", "true"); strings.Contains(a.body, "notices") {
		t.Errorf("a part of a page brings the notice along: %s", a.body)
	}
}
