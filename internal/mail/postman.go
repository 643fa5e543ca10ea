package mail

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// outbox is where letters come from and what became of them goes.
type outbox interface {
	// Claim takes a mail for one try, or renews that, and reports whether it could: not while another try's claim on
	// a mail that is owed has not run out.
	Claim(ctx context.Context, number ticket.Number, n int, try string, lasts time.Duration) (bool, error)
	// Release ends a try's claim, if it still has one.
	Release(ctx context.Context, number ticket.Number, n int, try string) error
	// Letter loads the nth mail of a ticket, and says what became of it already. Only one that is owed is loaded.
	Letter(ctx context.Context, number ticket.Number, n int) (desk.Letter, desk.Postage, error)
	Sent(ctx context.Context, number ticket.Number, n int) error
	Bounced(ctx context.Context, number ticket.Number, n int, reason string) error
	// Deferred notes that a server put the mail off, and gives when one first did.
	Deferred(ctx context.Context, number ticket.Number, n int) (since time.Time, err error)
}

type sender interface {
	Send(ctx context.Context, l desk.Letter) error
}

// Postman delivers mails from an outbox and records the outcome. Safe for concurrent use, also by several processes.
type Postman struct {
	outbox outbox
	sender sender
}

// NewPostman makes a postman; the sender is a *Sender outside of tests.
func NewPostman(outbox outbox, sender sender) *Postman {
	return &Postman{outbox: outbox, sender: sender}
}

// patience is how long servers may put a mail off before it counts as undeliverable (RFC 5321, section 4.5.4.1: "the
// give-up time generally needs to be at least 4-5 days"). A server that can't be reached has put nothing off, and
// neither has a worker that doesn't run: however long they are away, the mail stays owed.
const patience = 5 * 24 * time.Hour

const (
	recordPause    = 100 * time.Millisecond // after the first try; doubles with each
	recordPauseMax = 2 * time.Second
	recordTime     = 5 * time.Second // for one try
)

// Deliver sends the nth mail of a ticket unless it is settled already, records what became of it, and reports
// whether it bounced, now or in an earlier try whose answer got lost. After an error the mail is still owed, and the
// caller tries again: soon, or after a growing while if the error is Limited.
//
// A mail that was sent and not recorded goes out twice, so recording is tried until ctx ends, and once more then.
func (p *Postman) Deliver(ctx context.Context, number ticket.Number, n int) (bounced bool, err error) {
	end, err := p.claim(ctx, number, n)
	if err != nil {
		return false, fmt.Errorf("claim mail %d of %s: %w", n, number, err)
	}
	defer func() { end(err == nil) }()
	letter, postage, err := p.outbox.Letter(ctx, number, n)
	if err != nil {
		return false, fmt.Errorf("load mail %d of %s: %w", n, number, err)
	}
	if postage != desk.PostageOwed {
		return postage == desk.PostageBounced, nil
	}
	if letter.Disabled {
		return p.bounce(ctx, number, n, "the recipient has been disabled")
	}
	err = p.sender.Send(ctx, letter)
	if refused, ok := errors.AsType[*Undeliverable](err); ok {
		return p.bounce(ctx, number, n, refused.line())
	}
	if deferral, ok := errors.AsType[*Deferral](err); ok {
		since, err := p.outbox.Deferred(ctx, number, n)
		if err != nil {
			return false, fmt.Errorf("record deferral of mail %d of %s: %w", n, number, err)
		}
		if time.Since(since) >= patience {
			return p.bounce(ctx, number, n, "given up after 5 days: "+deferral.line())
		}
	}
	if err != nil {
		return false, fmt.Errorf("send mail %d of %s: %w", n, number, err)
	}
	if err := insist(ctx, func(ctx context.Context) error { return p.outbox.Sent(ctx, number, n) }); err != nil {
		return false, fmt.Errorf("record mail %d of %s as sent: %w", n, number, err)
	}
	return false, nil
}

func (p *Postman) bounce(ctx context.Context, number ticket.Number, n int, reason string) (bool, error) {
	err := insist(ctx, func(ctx context.Context) error { return p.outbox.Bounced(ctx, number, n, reason) })
	if err != nil {
		return false, fmt.Errorf("record bounce of mail %d of %s: %w", n, number, err)
	}
	return true, nil
}

// insist runs record until it succeeds or never can. When ctx ends, the try under way is finished and one more is
// made: an outage may just be over.
func insist(ctx context.Context, record func(context.Context) error) error {
	for pause := recordPause; ; pause = min(2*pause, recordPauseMax) {
		last := ctx.Err() != nil
		trying, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
		err := record(trying)
		cancel()
		if err == nil || last || fault.KindOf(err).Permanent() {
			return err
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
}
