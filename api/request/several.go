package request

import (
	"errors"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Several is the result of a command on several tickets.
type Several struct {
	Done    []ticket.Number
	Waiting []ticket.Number // accepted, but not decided yet
	Refused []NotDone
}

// NotDone is a ticket on which a command was refused, or failed.
type NotDone struct {
	Number ticket.Number
	Why    string // safe to show to the caller
}

// Add adds results to s.
func (s *Several) Add(results []desk.Result) {
	for _, r := range results {
		switch {
		case r.Done():
			s.Done = append(s.Done, r.Number)
		case r.Seq > 0 && !r.Outcome.Refused:
			s.Waiting = append(s.Waiting, r.Number)
		default:
			s.Refused = append(s.Refused, NotDone{r.Number, reason(r)})
		}
	}
}

func reason(r desk.Result) string {
	switch {
	case r.Outcome.Code == ticket.CodeUnseen:
		return "someone has replied since you loaded this list: read it first"
	case r.Outcome.Refused:
		return r.Outcome.Reason
	}
	if e, ok := errors.AsType[*fault.Error](r.Err); ok && e.Kind != fault.Internal {
		return e.Message
	}
	return "it failed on our side; try again"
}
