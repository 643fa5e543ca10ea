package portal

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
)

// live sends an event to an open page when its ticket has changed; the page then loads what is new. It sends none for
// changes that the requester can't see. seen in the query is the state that the page shows, so that changes during a
// lost connection are reported at once.
func (p *Pages) live(v *page.Visit, a access) error {
	changes, leave := p.feed.Subscribe(a.number)
	defer leave()
	if _, err := p.desk.Ticket(v.Context(), a.requester, a.number); err != nil {
		return err
	}
	reported := v.Query("seen")
	return v.Stream(func(ctx context.Context, send func(event, data string) error) error {
		// The heartbeat has a timer of its own, and a change that the requester can't see sends nothing. Otherwise the
		// timing of the stream would reveal when staff left a note.
		beat := page.Heartbeat()
		for {
			s, err := p.loadTicket(ctx, a)
			if err != nil {
				return err // the browser reconnects
			}
			if now := s.fingerprint(time.Now()); now != reported {
				reported = now
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

// waitForChange waits for a change that the requester may see, or for the heartbeat, because a deadline passes without
// a change. more is false if ctx is done.
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
