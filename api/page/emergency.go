package page

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// notices returns what the page says of emergencies: none on a part of a page, since the page around it does, and none when
// they can't be read.
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

// PastNotices returns the emergencies that ended since an instant, the latest first.
func (v *Visit) PastNotices(since time.Time) ([]desk.Emergency, error) {
	if v.engine.Board == nil {
		return nil, nil
	}
	return v.engine.Board.Past(v.Context(), since)
}

// Remembered is how long the page of notices still shows an emergency that is over, for those who wonder why a date moved.
const Remembered = 28 * 24 * time.Hour

// Cause is the emergency that a line about a ticket refers to, in short.
type Cause struct {
	Manual bool   // it was declared on this ticket alone
	Text   string // its notice, plain; empty when it is not known
	Told   bool   // the page of notices shows it
}

// Shown reports whether there is anything to say of it.
func (c Cause) Shown() bool { return c.Manual || c.Text != "" || c.Told }

// Causes are the emergencies that a ticket's events may tell of.
type Causes struct {
	known map[ticket.EmergencyID]desk.Emergency
	now   time.Time
}

// Causes reads them for a ticket; for one that no emergency has touched nothing is read. When they can't be read, the
// page says less.
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

// Of returns the one that an event names.
func (c Causes) Of(name string) Cause {
	id := ticket.EmergencyID(name)
	if !id.Valid() {
		return Cause{Manual: name != ""}
	}
	e, known := c.known[id]
	if !known {
		return Cause{}
	}
	return Cause{Text: e.Notice, Told: e.Cancelled.IsZero() && (e.Until.IsZero() || e.Until.After(c.now.Add(-Remembered)))}
}

// Behind returns those that a line of a clock's explanation comes from, by the ticket's timeline.
func (c Causes) Behind(names []string) []Cause {
	var all []Cause
	for _, name := range names {
		if cause := c.Of(name); cause.Shown() {
			all = append(all, cause)
		}
	}
	return all
}
