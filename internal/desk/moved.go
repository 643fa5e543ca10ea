package desk

import (
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Moves says what an emergency has done to a ticket's promises, as its requester reads them. Expected are the deadlines
// if every emergency ends as planned; see ticket.Expected.
func Moves(t ticket.Ticket, expected policy.Promises, id ticket.EmergencyID) (first, resolution Move) {
	since, read := reached(t, id), PromisedOf(t, expected, time.Time{}).ForRequester()
	first, resolution = move(t.FirstResponse, read.FirstResponse, since), move(t.Resolution, read.Resolution, since)
	first.Before = earlier(first.Before, resolution.Before)
	return first, resolution
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

func move(p ticket.Promise, read Standing, since time.Time) Move {
	if !p.MetAt.IsZero() || p.Clock.Settled() {
		return Move{}
	}
	m := Move{
		Owed: true, Due: read.Due, Expected: read.Expected, Broken: read.BreachedAt,
		Waiting: slices.Contains(p.Clock.Reasons(), policy.ReasonWaiting),
	}
	if m.Waiting {
		m.Expected = time.Time{}
	}
	for _, e := range p.Clock.Ledger {
		if e.At.Before(since) {
			m.Before = e.Due
		}
	}
	return m
}
