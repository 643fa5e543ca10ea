package mail

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const (
	claimTime = 20 * time.Second // what a try that died leaves its mail claimed for, at most
	claimBeat = claimTime / 4    // how often a try that lives renews it
)

var errClaimed = fault.New(fault.Unavailable, "another try at the same mail is under way")

// claim takes a mail for this try alone. Temporal begins another as soon as it misses a try's heartbeats, which may be
// Temporal's own absence: the try lives, and a mail server may take minutes to answer it. The mail stays claimed until
// end is called. One that isn't settled is free for the next try right then.
func (p *Postman) claim(ctx context.Context, number ticket.Number, n int) (end func(settled bool), err error) {
	try := rand.Text()
	ours, err := p.outbox.Claim(ctx, number, n, try, claimTime)
	if err != nil {
		return nil, err
	}
	if !ours {
		return nil, errClaimed
	}
	done := holding(ctx, func(ctx context.Context) { _, _ = p.outbox.Claim(ctx, number, n, try, claimTime) })
	return func(settled bool) {
		done()
		if settled {
			return
		}
		releasing, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
		defer cancel()
		_ = p.outbox.Release(releasing, number, n, try) // it runs out by itself otherwise
	}, nil
}
