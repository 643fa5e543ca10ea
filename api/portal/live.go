package portal

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
)

// live tells an open page that its ticket has changed; the page then asks for what is new. It says so only when the
// requester can see the change. Who comes back after the server was away is told at once what they missed.
func (p *Pages) live(v *page.Visit, a asked) error {
	changes, leave := p.feed.Subscribe(a.number)
	defer leave()
	if _, err := p.desk.Ticket(v.Context(), a.as, a.number); err != nil {
		return err
	}
	told := v.Query("seen")
	return v.Stream(func(ctx context.Context, send func(event, data string) error) error {
		for {
			s, err := p.story(ctx, a)
			if err != nil {
				return err // the browser comes again
			}
			event, now := "", s.seen(time.Now())
			if now != told {
				event, told = "changed", now
			}
			if err := send(event, now); err != nil {
				return err
			}
			if !news(ctx, changes) {
				return nil
			}
		}
	})
}

// news waits for a change that a requester may see, or for the time to look by itself: a promise falls due without one.
// It is false when the stream is over.
func news(ctx context.Context, changes <-chan desk.Change) bool {
	beat := page.Heartbeat()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-beat:
			return true
		case c := <-changes:
			if c.Kind != desk.ChangeMail && c.Kind != desk.ChangePresence {
				return true
			}
		}
	}
}
