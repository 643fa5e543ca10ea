package panel

import (
	"context"
	"net/url"
	"slices"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// live streams the changes of tickets as server-sent events. An event names only the ticket and the part that changed,
// never any content; the page then requests that part.
func (p *Pages) live(v *page.Visit) error {
	changes, leave := p.feed.Subscribe("")
	defer leave()
	return v.Stream(func(ctx context.Context, send func(event, data string) error) error {
		if err := send("open", "open"); err != nil {
			return err
		}
		for {
			var err error
			select {
			case <-ctx.Done():
				return nil
			case <-page.Heartbeat():
				err = send("", "")
			case c := <-changes:
				err = send(liveEvent(c), string(c.Number))
			}
			if err != nil {
				return err
			}
		}
	})
}

// liveEvent returns the name of the event for a change, which is the part that the page must request.
func liveEvent(c desk.Change) string {
	switch {
	case c.Number == "":
		return "everything"
	case c.Kind == desk.ChangePresence:
		return "presence"
	default:
		return "ticket"
	}
}

// present returns the other agents who have a ticket open.
func (p *Pages) present(v *page.Visit, n ticket.Number) ([]desk.Presence, error) {
	looking, err := p.store.Presences(v.Context(), n)
	return slices.DeleteFunc(looking, func(l desk.Presence) bool { return l.Person.ID == v.Person.ID }), err
}

// presence records that the viewer looks at a ticket, writes to it or has left it.
func (p *Pages) presence(v *page.Visit, n ticket.Number, form url.Values) (err error) {
	if form.Get("state") == "gone" {
		err = p.store.EndPresence(v.Context(), v.Person, n)
	} else {
		err = p.workspace.RecordPresence(v.Context(), v.Person, n, form.Get("state") == "writing")
	}
	if err != nil {
		return err
	}
	return v.Nothing()
}
