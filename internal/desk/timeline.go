package desk

import (
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Entry is one line of a timeline, with the words that the event itself does not hold.
type Entry struct {
	ticket.Event
	Author   Ref    // zero for the desk's own and for a hand in Temporal UI
	Body     string // plain text, empty without any
	Internal bool   // the body is for staff, whatever the event says
	Recorded time.Time
	Bounce   *Bounce // the mail that a mail-bounced event tells of; nil otherwise
}

// Bounce is a mail that could not be delivered.
type Bounce struct {
	Kind   ticket.MailKind
	To     Ref
	Reason string // a mail server's own words, cut to length
	Resent bool   // as another mail that has not bounced
}

// Unseen picks the words that others wrote after the last entry that a person had seen, of a timeline as this person may
// read it.
func Unseen(timeline []Entry, by Person, seen int) []Entry {
	return slices.DeleteFunc(slices.Clone(timeline), func(e Entry) bool {
		return e.N <= seen || !e.HasMessage() || e.By.ID == by.ID
	})
}

// LastEntry is the number of the last entry of a timeline as somebody may read it, for commands that say what their writer
// had seen. The submission stands in every timeline, also before the first step has recorded it.
func LastEntry(timeline []Entry) int {
	if len(timeline) == 0 {
		return 1
	}
	return timeline[len(timeline)-1].N
}

// CausesOf gives what a ticket's events call the emergencies that a line of a clock's explanation comes from, in order:
// those that stopped the clock in its span, or made the target longer at its instant. The entries are the timeline.
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
