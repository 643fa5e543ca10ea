package desk

import (
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Moves tells what an emergency has done to a ticket's promises. Expected are the deadlines if every emergency ends as
// planned; see ticket.Expected.
func Moves(t ticket.Ticket, expected policy.Promises, id ticket.EmergencyID) (first, resolution Move) {
	since := reached(t, id)
	return move(t.FirstResponse, expected.FirstResponse, since), move(t.Resolution, expected.Resolution, since)
}

// reached is when an emergency reached a ticket; zero when it did not, or was there before the ticket.
func reached(t ticket.Ticket, id ticket.EmergencyID) time.Time {
	for _, s := range t.Emergencies {
		if s.ID == id && t.Submitted.Before(s.From) {
			return s.From
		}
	}
	return time.Time{}
}

func move(p ticket.Promise, expected, since time.Time) Move {
	m := Move{Owed: p.MetAt.IsZero() && !p.Clock.Settled(), Broken: p.BreachedAt}
	if !m.Owed {
		return Move{}
	}
	m.Due, _ = p.Clock.Due()
	m.Waiting = slices.Contains(p.Clock.Reasons(), policy.ReasonWaiting)
	if m.Due.IsZero() && !m.Waiting {
		m.Expected = expected
	}
	for _, e := range p.Clock.Ledger {
		if e.At.Before(since) {
			m.Before = e.Due
		}
	}
	return m
}
