package app

import (
	"context"
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// date sets the deadlines of a mail to those after its event (then). The mail may be sent long after that. If a deadline has
// passed in the meantime, the current ticket (now) decides whether it was missed, because the promise may have been met,
// moved or paused since. While support is closed there are no deadlines; afterwards they are those moved by the closure.
func (m *Mails) date(ctx context.Context, l *desk.MailData, then, now ticket.Ticket) error {
	inForce := func(n desk.Notice) bool { return n.InForce }
	closed := slices.ContainsFunc(l.Notices, func(n desk.Notice) bool { return n.InForce && n.Kind == ticket.EmergencyClosed })
	promised, err := m.promised(ctx, l, then, closed, closed)
	if err != nil {
		return err
	}
	present, err := m.promised(ctx, l, now, closed, slices.ContainsFunc(l.Notices, inForce))
	if err != nil {
		return err
	}
	passed := func(name policy.ClockName) bool {
		at := promised.Promise(name)
		return at.BreachedAt.IsZero() && at.Due.After(l.At) && !at.Due.After(l.Sent) && present.Promise(name).MetAt.IsZero() && !now.Closed()
	}
	for _, name := range []policy.ClockName{policy.FirstResponse, policy.Resolution} {
		if passed(name) && lateSince(present.Promise(name), l.Sent).IsZero() {
			promised = present // for both, or the first response could be due after the resolution
			break
		}
	}
	for _, d := range []struct {
		name                policy.ClockName
		due, late, expected *time.Time
	}{
		{policy.FirstResponse, &l.FirstResponseDue, &l.FirstResponseLate, &l.Expected.FirstResponse},
		{policy.Resolution, &l.ResolutionDue, &l.ResolutionLate, &l.Expected.Resolution},
	} {
		at, is := promised.Promise(d.name), present.Promise(d.name)
		if !at.MetAt.IsZero() || then.Closed() || then.Status == ticket.StatusResolved && !l.Kind.ToStaff() {
			continue
		}
		owed := is.MetAt.IsZero() && !now.Closed()
		switch {
		case passed(d.name) || !at.BreachedAt.IsZero() && owed:
			*d.late = lateSince(is, l.Sent)
		case at.BreachedAt.IsZero() && (at.Due.After(l.Sent) || !at.Due.After(l.At) && owed):
			*d.due, *d.expected = at.Due, at.Expected
		}
	}
	return nil
}

// lateSince returns the deadline of a promise if it has passed, and the zero time otherwise.
func lateSince(p desk.SLAState, sent time.Time) time.Time {
	switch {
	case !p.BreachedAt.IsZero():
		return p.BreachedAt
	case p.Due.After(sent):
		return time.Time{}
	}
	return p.Due
}

// promised returns the promises of a ticket as shown to the recipient of a mail. If apply is set or the ticket is in an
// emergency, it applies the transitions up to the sending of the mail.
func (m *Mails) promised(ctx context.Context, l *desk.MailData, t ticket.Ticket, closed, apply bool) (desk.Promised, error) {
	p := desk.PromisedOf(t, policy.Deadlines{}, time.Time{})
	if apply || t.InEmergency() {
		var err error
		if p, err = m.afterTransitions(ctx, l, t, closed); err != nil {
			return desk.Promised{}, err
		}
	}
	if !l.Kind.ToStaff() {
		p = p.ForRequester()
	}
	return p, nil
}

// afterTransitions returns the promises of a ticket after the transitions up to the sending of the mail. closed reports
// whether support is closed then.
func (m *Mails) afterTransitions(ctx context.Context, l *desk.MailData, t ticket.Ticket, closed bool) (desk.Promised, error) {
	schedule, err := m.store.Schedule(ctx)
	if err != nil {
		return desk.Promised{}, err
	}
	d := ticket.Environment{Policy: l.Policy, Schedule: schedule}
	after, err := ticket.ApplyTransitions(t, d, l.Sent.UTC().Truncate(time.Second))
	if err != nil {
		return desk.Promised{}, err
	}
	expected, err := ticket.Expected(after.Ticket, d)
	if err != nil {
		return desk.Promised{}, err
	}
	promised := desk.PromisedOf(after.Ticket, expected, time.Time{})
	if closed && !after.Ticket.InEmergency() { // a due event precedes the transition; the deadline follows from the next step
		promised.FirstResponse.Due, promised.Resolution.Due = time.Time{}, time.Time{}
	}
	return promised, nil
}
