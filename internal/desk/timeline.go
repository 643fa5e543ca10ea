package desk

import (
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Entry is an entry of a timeline: an event with its message, which is stored separately.
type Entry struct {
	ticket.Event
	Author   Ref    // zero: a due event, or a manual command from Temporal UI
	Body     string // the message, plain text; empty: none
	Internal bool   // the message is visible to staff only, even if the event is public
	Recorded time.Time
	Bounce   *Bounce // the mail of a mail-bounced event; nil otherwise
}

// Bounce is a bounced mail.
type Bounce struct {
	Kind   ticket.MailKind
	To     Ref
	Reason string // the mail server's text, truncated
	Resent bool   // sent again as a mail that has not bounced
}

// Unseen returns the messages of others after entry number seen of a timeline, which contains what the person by may see.
func Unseen(timeline []Entry, by Person, seen int) []Entry {
	return slices.DeleteFunc(slices.Clone(timeline), func(e Entry) bool {
		return e.N <= seen || !e.HasMessage() || e.By.ID == by.ID
	})
}

// LastEntry returns the number of the last entry of a timeline, for Request.Seen. It is 1 for an empty timeline, since the
// submission is shown even before the first step has recorded it.
func LastEntry(timeline []Entry) int {
	if len(timeline) == 0 {
		return 1
	}
	return timeline[len(timeline)-1].N
}

// CausesOf returns the emergencies, as the timeline's events name them, that caused a line in the explanation of a clock:
// those that paused the clock during the line, or extended the target at its instant. They are in timeline order.
func CausesOf(line policy.Line, entries []Entry) []string {
	var names []string
	add := func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	stops := line.From.Before(line.To) && slices.Contains(line.Reasons, policy.ReasonEmergency)
	open := map[string]bool{}
	for _, e := range entries {
		switch {
		case e.Kind == ticket.EventExtended && line.Kind == policy.EntryExtended && e.At.Equal(line.From):
			add(e.Emergency)
		case e.Kind == ticket.EventPaused && stops && e.At.Before(line.To):
			open[e.Emergency] = true
		case e.Kind == ticket.EventResumed && !e.At.After(line.From):
			delete(open, e.Emergency)
		}
	}
	for _, e := range entries {
		if e.Kind == ticket.EventPaused && open[e.Emergency] {
			add(e.Emergency)
		}
	}
	return names
}
