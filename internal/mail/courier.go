package mail

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/holesalemart/supportdesk/internal/account"
)

// accountOutbox is where accounts' letters come from, and what became of them goes.
type accountOutbox interface {
	// NextLetter takes one for a while. When none is owed now, found is false, and next says when one may be.
	NextLetter(ctx context.Context, lasts time.Duration) (l account.Letter, found bool, next time.Time, err error)
	Hold(ctx context.Context, id int64, lasts time.Duration) error
	Sent(ctx context.Context, id int64) error
	GivenUp(ctx context.Context, id int64, reason string) error
	PutOff(ctx context.Context, id int64, pause time.Duration) error
	// AwaitMails calls wake at once and whenever a letter is owed, until ctx ends or the outbox goes away.
	AwaitMails(ctx context.Context, wake func()) error
}

type accountSender interface {
	SendAccount(ctx context.Context, l account.Letter) error
}

const (
	courierHands = 4                // mails at once: one slow recipient must not hold up another's signing in
	courierPause = 2 * time.Second  // after the first try that failed; doubles with each
	courierCalm  = 5 * time.Minute  // at most
	courierLook  = 30 * time.Second // between looks, should a notice ever be lost
)

// Courier sends accounts' mails. It needs PostgreSQL and SMTP, and nothing else: people must be able to sign in while
// Temporal is away. Any number of processes may run one each.
type Courier struct {
	outbox accountOutbox
	sender accountSender
	log    *slog.Logger
	woken  chan struct{}
}

// NewCourier makes a courier; Run it once.
func NewCourier(outbox accountOutbox, sender accountSender, log *slog.Logger) *Courier {
	return &Courier{outbox: outbox, sender: sender, log: log, woken: make(chan struct{}, 1)}
}

// Run sends what is owed until ctx ends, and waits for what is on its way then. Its error is always nil.
func (c *Courier) Run(ctx context.Context) error {
	var group sync.WaitGroup
	defer group.Wait()
	group.Go(func() { c.listen(ctx) })
	hands := make(chan struct{}, courierHands)
	for {
		select {
		case hands <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		letter, ok := c.next(ctx)
		if !ok {
			return nil
		}
		group.Go(func() {
			defer func() { <-hands }()
			c.deliver(ctx, letter)
		})
	}
}

// listen hears of new letters, and again after every outage.
func (c *Courier) listen(ctx context.Context) {
	for ctx.Err() == nil {
		err := c.outbox.AwaitMails(ctx, c.wake)
		if ctx.Err() == nil {
			c.log.Warn("not listening for accounts' mails", "error", err)
		}
		pause(ctx, courierPause)
	}
}

func (c *Courier) wake() {
	select {
	case c.woken <- struct{}{}:
	default: // it has been
	}
}

// next waits for a letter; false when ctx has ended.
func (c *Courier) next(ctx context.Context) (account.Letter, bool) {
	for ctx.Err() == nil {
		letter, found, next, err := c.outbox.NextLetter(ctx, claimTime)
		if found && err == nil {
			return letter, true
		}
		wait := courierLook
		switch {
		case err != nil && ctx.Err() == nil:
			c.log.Warn("can't look for accounts' mails", "error", err)
			wait = courierPause
		case !next.IsZero():
			wait = min(max(time.Until(next), time.Millisecond), courierLook)
		}
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-c.woken:
		case <-timer.C:
		}
		timer.Stop()
	}
	return account.Letter{}, false
}

// deliver sends one letter and records what became of it. What can't be recorded runs out with its claim, and the letter
// goes out a second time under the same Message-ID.
func (c *Courier) deliver(ctx context.Context, l account.Letter) {
	record := func(record func(context.Context) error) {
		if err := insist(ctx, record); err != nil {
			c.log.Warn("account's mail not recorded", "mail", l.ID, "error", err)
		}
	}
	giveUp := func(reason string) {
		c.log.Warn("account's mail given up", "mail", l.ID, "kind", l.Kind, "tries", l.Tries)
		record(func(ctx context.Context) error { return c.outbox.GivenUp(ctx, l.ID, reason) })
	}
	if !l.Until.After(time.Now()) {
		giveUp("its time was over before it could be sent")
		return
	}
	end := c.hold(ctx, l.ID)
	err := c.sender.SendAccount(ctx, l)
	end()
	if refused, ok := errors.AsType[*Undeliverable](err); ok {
		giveUp(refused.line())
		return
	}
	if err == nil {
		record(func(ctx context.Context) error { return c.outbox.Sent(ctx, l.ID) })
		return
	}
	again := min(courierPause<<min(l.Tries, 16), courierCalm)
	if ctx.Err() != nil {
		again = 0 // another process may take it at once
	}
	c.log.Warn("account's mail put off", "mail", l.ID, "kind", l.Kind, "tries", l.Tries, "again", again, "error", err)
	record(func(ctx context.Context) error { return c.outbox.PutOff(ctx, l.ID, again) })
}

// hold keeps a letter claimed while it is on its way. The function it returns stops that.
func (c *Courier) hold(ctx context.Context, id int64) (end func()) {
	return holding(ctx, func(ctx context.Context) { _ = c.outbox.Hold(ctx, id, claimTime) })
}

// pause waits, unless ctx ends before.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
