package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Fanout is how far the open tickets have come to know of an edge of the gate.
type Fanout struct {
	Edge     ticket.Edge
	Revision int64 // of the gate
	Total    int   // open tickets behind the edge when it began
	Told     int   // signals sent, those sent again too
	Behind   int   // open tickets that are not yet as the gate wants them
	Began    time.Time
	Updated  time.Time
	Proven   time.Time // zero: not yet

	Late []ticket.Number // some of those, at most ticket.MostNamed, once it has taken longer than ticket.FanoutPatience
}

// Rate is in tickets a second, from its beginning until it was proven; 0 when that can't be said.
func (f Fanout) Rate() float64 {
	took := f.Proven.Sub(f.Began)
	if f.Proven.IsZero() || f.Total == 0 || took <= 0 {
		return 0
	}
	return float64(f.Total) / took.Seconds()
}
