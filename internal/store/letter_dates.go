package store

import (
	"context"
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// date fills in a letter's dates, as its event left the ticket. A mail may be sent long after that: a deadline that has
// passed by then is late, unless the ticket as it is now owes nothing. While the desk is closed there is none, and after
// that the one that the closure has left.
func (s *Store) date(ctx context.Context, l *desk.Letter, then, now ticket.Ticket) error {
	promised := desk.PromisedOf(then, policy.Promises{}, time.Time{})
	closed := slices.ContainsFunc(l.Notices, func(n desk.Notice) bool { return n.InForce && n.Kind == ticket.EmergencyClosed })
	if closed || then.InEmergency() {
		var err error
		if promised, err = s.woven(ctx, l, then, closed); err != nil {
			return err
		}
	}
	if !l.Kind.ToStaff() {
		promised = promised.ForRequester()
	}
	for _, d := range []struct {
		name                policy.ClockName
		due, late, expected *time.Time
	}{
		{policy.FirstResponse, &l.FirstResponseDue, &l.FirstResponseLate, &l.Expected.FirstResponse},
		{policy.Resolution, &l.ResolutionDue, &l.ResolutionLate, &l.Expected.Resolution},
	} {
		at := promised.Promise(d.name)
		if !at.MetAt.IsZero() || then.Closed() || then.Status == ticket.StatusResolved && !l.Kind.ToStaff() {
			continue
		}
		owed := now.Promise(d.name).MetAt.IsZero() && !now.Closed()
		switch {
		case !at.BreachedAt.IsZero() && owed:
			*d.late = at.BreachedAt
		case at.BreachedAt.IsZero() && at.Due.After(l.At) && !at.Due.After(l.Sent) && owed:
			*d.late = at.Due
		case at.BreachedAt.IsZero() && (at.Due.After(l.Sent) || !at.Due.After(l.At) && owed):
			*d.due, *d.expected = at.Due, at.Expected
		}
	}
	return nil
}

// woven gives the promises of a ticket as the emergencies have them when the letter is sent: while the desk is closed, or
// when that which held the ticket may be over.
func (s *Store) woven(ctx context.Context, l *desk.Letter, t ticket.Ticket, closed bool) (desk.Promised, error) {
	gate, err := s.Gate(ctx)
	if err != nil {
		return desk.Promised{}, err
	}
	d := ticket.Desk{Policy: l.Policy, Gate: gate}
	woven, err := ticket.Weave(t, d, l.Sent.UTC().Truncate(time.Second))
	if err != nil {
		return desk.Promised{}, err
	}
	expected, err := ticket.Expected(woven.Ticket, d)
	if err != nil {
		return desk.Promised{}, err
	}
	promised := desk.PromisedOf(woven.Ticket, expected, time.Time{})
	if closed && !woven.Ticket.InEmergency() { // a moment of its own comes first: its next step tells when it is due
		promised.FirstResponse.Due, promised.Resolution.Due = time.Time{}, time.Time{}
	}
	return promised, nil
}
