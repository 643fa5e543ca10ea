package portal

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
)

// live tells an open page that its ticket has changed; the page then asks for what is new. It says so only when the
// requester can see the change. Who comes back after the server was away is told at once what they missed.
func (p *Pages) live(v *page.Visit, a access) error {
	changes, leave := p.feed.Subscribe(a.number)
	defer leave()
	if _, err := p.desk.Ticket(v.Context(), a.requester, a.number); err != nil {
		return err
	}
	told := v.Query("seen")
	return v.Stream(func(ctx context.Context, send func(event, data string) error) error {
		// The beat keeps its own time, and a look that found nothing sends nothing: else the stream would tell when staff
		// left a note.
		beat := page.Heartbeat()
		for {
			s, err := p.loadTicket(ctx, a)
			if err != nil {
				return err // the browser comes again
			}
			if now := s.fingerprint(time.Now()); now != told {
				told = now
				if err := send("changed", now); err != nil {
					return err
				}
			}
			switch more, beaten := waitForChange(ctx, changes, beat); {
			case !more:
				return nil
			case beaten:
				beat = page.Heartbeat()
				if err := send("", ""); err != nil {
					return err
				}
			}
		}
	})
}

// waitForChange waits for a change that a requester may see, or for the beat, to look by itself: a promise falls due without a
// change. more is false when the stream is over.
func waitForChange(ctx context.Context, changes <-chan desk.Change, beat <-chan time.Time) (more, beaten bool) {
	for {
		select {
		case <-ctx.Done():
			return false, false
		case <-beat:
			return true, true
		case c := <-changes:
			if c.Kind != desk.ChangeMail && c.Kind != desk.ChangePresence {
				return true, false
			}
		}
	}
}
