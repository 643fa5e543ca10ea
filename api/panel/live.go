package panel

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// live tells an open page what changed, in one word a change; it then asks for what it shows. Words and names never
// travel this way.
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

// liveEvent is the name of an event: what a page has to ask for again.
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

// presentView is a colleague who has the ticket open.
type presentView struct {
	Name    string
	Writing bool
	Since   time.Time
}

// present lists the others who have a ticket open.
func (p *Pages) present(v *page.Visit, n ticket.Number) ([]presentView, error) {
	looking, err := p.store.Looking(v.Context(), n)
	if err != nil {
		return nil, err
	}
	var others []presentView
	for _, l := range looking {
		if l.Person.ID != v.Person.ID {
			others = append(others, presentView{Name: l.Person.Name, Writing: l.Writing, Since: l.Since})
		}
	}
	return others, nil
}

// presence notes what somebody does with a ticket: looking, writing or gone.
func (p *Pages) presence(v *page.Visit) error {
	n, err := ticket.ParseNumber(v.Param("number"))
	if err != nil {
		return err
	}
	form, err := v.Form()
	if err != nil {
		return err
	}
	if form.Get("state") == "gone" {
		err = p.store.Leave(v.Context(), v.Person, n)
	} else {
		err = p.workspace.Look(v.Context(), v.Person, n, form.Get("state") == "writing")
	}
	if err != nil {
		return err
	}
	return v.Nothing()
}
