package desktest

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Deliver is what the mail activity asks for, and the one that calls webhooks.
func (d *Desk) Deliver(ctx context.Context, n ticket.Number, number int) (bool, error) {
	d.mu.Lock()
	rec, known := d.tickets[n]
	if !known || number > len(rec.mails) {
		d.mu.Unlock()
		return false, fault.New(fault.NotFound, "there is no such mail")
	}
	m, try := rec.mails[number-1], d.mailed
	d.mu.Unlock()
	if m.settled {
		return m.bounced, nil
	}
	bounced, err := try(ctx, m.Owed)
	if err == nil {
		d.mu.Lock()
		rec.mails[number-1].settled, rec.mails[number-1].bounced = true, bounced
		rec.mails[number-1].at = d.now().UTC().Truncate(time.Second)
		d.mu.Unlock()
	}
	return bounced, err
}

// Unsettled lists the mails that are neither sent nor bounced.
func (d *Desk) Unsettled(n ticket.Number) []ticket.Owed {
	d.mu.Lock()
	defer d.mu.Unlock()
	var owed []ticket.Owed
	for _, m := range d.tickets[n].mails {
		if !m.settled {
			owed = append(owed, m.Owed)
		}
	}
	return owed
}
