package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Undecided is what somebody asked of a ticket and no step has taken yet: it is kept, and not on the timeline.
type Undecided struct {
	Seq  int64 // of the command, within the ticket
	Verb ticket.Verb
	At   time.Time // of acceptance
	Body string    // plain text, empty without any
}
