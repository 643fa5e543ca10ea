package page

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// notices returns the notices of emergencies for a page. It returns none for a fragment, because the page around it
// shows them, or if they can't be read.
func (v *Visit) notices() []desk.Notice {
	if v.engine.Board == nil || v.Partial() {
		return nil
	}
	notices, err := v.engine.Board.Notices(v.Context())
	if err != nil {
		v.engine.Log.WarnContext(v.Context(), "page without notices of emergencies", "error", err)
	}
	return notices
}

// PastNotices returns the emergencies that have ended since an instant, the latest first.
func (v *Visit) PastNotices(since time.Time) ([]desk.Emergency, error) {
	if v.engine.Board == nil {
		return nil, nil
	}
	return v.engine.Board.Past(v.Context(), since)
}

// Remembered is how long the page of notices shows an emergency after its end, because it explains moved deadlines.
const Remembered = 28 * 24 * time.Hour

// Cause describes the emergency that caused a change of a ticket.
type Cause struct {
	Manual bool   // it was declared on this ticket alone
	Text   string // its notice, plain; empty when it is not known
	Listed bool   // the page of notices shows it
}

// Shown reports whether there is anything to show.
func (c Cause) Shown() bool { return c.Manual || c.Text != "" || c.Listed }

// Causes are the emergencies that a ticket's events may refer to.
type Causes struct {
	known map[ticket.EmergencyID]desk.Emergency
	now   time.Time
}

// Causes loads the emergencies of a ticket. If they can't be loaded, it logs the error and returns none. It does not
// query for a ticket without emergencies.
func (v *Visit) Causes(t ticket.Ticket) Causes {
	c := Causes{now: time.Now()}
	if v.engine.Board == nil || len(t.Emergencies) == 0 {
		return c
	}
	var err error
	if c.known, err = v.engine.Board.Named(v.Context()); err != nil {
		v.engine.Log.WarnContext(v.Context(), "page without the reasons of emergencies", "error", err)
	}
	return c
}

// Of returns the emergency that an event names.
func (c Causes) Of(name string) Cause {
	id := ticket.EmergencyID(name)
	if !id.Valid() {
		return Cause{Manual: name != ""}
	}
	e, known := c.known[id]
	if !known {
		return Cause{}
	}
	return Cause{Text: e.Notice, Listed: e.Cancelled.IsZero() && (e.Until.IsZero() || e.Until.After(c.now.Add(-Remembered)))}
}

// Behind returns the emergencies that caused a line of a clock's explanation, by their names in the timeline.
func (c Causes) Behind(names []string) []Cause {
	var all []Cause
	for _, name := range names {
		if cause := c.Of(name); cause.Shown() {
			all = append(all, cause)
		}
	}
	return all
}
