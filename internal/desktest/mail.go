package desktest

import (
	"context"
	"slices"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Deliver implements the port of the activities that send mails and call webhooks. It reports whether the delivery
// bounced.
func (d *Desk) Deliver(ctx context.Context, k outbox.Key) (bool, error) {
	n, number := k.Ticket, int(k.N)
	d.mu.Lock()
	rec, known := d.tickets[n]
	if !known || number > len(rec.mails) {
		d.mu.Unlock()
		return false, fault.New(fault.NotFound, "there is no such email")
	}
	m, try := rec.mails[number-1], d.onMail
	d.mu.Unlock()
	if m.settled {
		return m.bounced, nil
	}
	bounced, err := try(ctx, m.owed)
	if err == nil {
		d.mu.Lock()
		m := &d.tickets[n].mails[number-1]
		m.settled, m.bounced, m.at = true, bounced, d.clock()
		d.mu.Unlock()
	}
	return bounced, err
}

// Unsettled returns the mails that are neither sent nor bounced.
func (d *Desk) Unsettled(n ticket.Number) []ticket.Owed {
	defer d.lock()()
	var owed []ticket.Owed
	for _, m := range d.tickets[n].mails {
		if !m.settled {
			owed = append(owed, m.owed)
		}
	}
	return owed
}

// FailedDelivery implements app.StepTx.
func (tx *stepTx) FailedDelivery(_ context.Context, n int) (app.FailedDelivery, bool, error) {
	if n > len(tx.record.mails) {
		return app.FailedDelivery{}, false, nil
	}
	m := tx.record.mails[n-1]
	u := app.FailedDelivery{Webhook: m.owed.Webhook}
	if m.Asks {
		u.Asks = m.Event
	}
	return u, !m.recorded && (!m.settled || m.bounced), nil
}

// AskingMail implements app.StepTx.
func (tx *stepTx) AskingMail(_ context.Context, event int) (app.AskingMail, bool, error) {
	i := slices.IndexFunc(tx.record.mails, func(m mail) bool { return m.Asks && m.Event == event })
	if i < 0 {
		return app.AskingMail{}, false, nil
	}
	m := tx.record.mails[i]
	asking := app.AskingMail{N: m.N, Bounced: m.bounced}
	if m.settled {
		asking.Settled = m.at
		if at := tx.record.events[event-1].At; at.After(m.at) {
			asking.Settled = at
		}
	}
	return asking, true, nil
}

// MailToResend implements app.StepTx.
func (tx *stepTx) MailToResend(_ context.Context, command int64) (ticket.BouncedMail, bool, error) {
	c := tx.record.commands[command-1].Resend
	if c == nil || c.Mail > len(tx.record.mails) {
		return ticket.BouncedMail{}, false, nil
	}
	m := tx.record.mails[c.Mail-1]
	u := ticket.BouncedMail{
		Mail: c.Mail, Kind: m.Kind, Person: m.Person, Clock: m.Clock, EscalationStep: m.EscalationStep, Bounced: m.bounced,
		Resent: slices.ContainsFunc(tx.record.mails, func(again mail) bool { return again.Resends == c.Mail }),
	}
	if m.Asks {
		u.Event = m.Event
	}
	return u, true, nil
}

// writeDeliveries stores the deliveries that a step adds and the failures that it records.
func (tx *stepTx) writeDeliveries(c app.StepChanges) {
	r := tx.record
	for _, m := range c.Mails {
		r.mails = append(r.mails, mail{Mail: m, owed: ticket.Owed{N: m.N, To: m.Person, Kind: m.Kind, Asks: m.Asks, Handle: tx.handle(m.Person)}})
	}
	for _, call := range c.Calls {
		r.mails = append(r.mails, mail{owed: ticket.Owed{N: call.N, Kind: ticket.KindWebhook, Webhook: call.Webhook}})
	}
	for _, f := range c.Failures {
		m := &r.mails[f.N-1]
		if !m.settled {
			m.at = tx.clock()
		}
		m.settled, m.bounced, m.recorded = true, true, true
	}
}
