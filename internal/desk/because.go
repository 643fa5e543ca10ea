package desk

import (
	"slices"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Because gives what a ticket's events call the emergencies that a line of a clock's explanation comes from, in order:
// those that stopped the clock in its span, or made the target longer at its instant. The entries are the timeline.
func Because(line policy.Line, entries []Entry) []string {
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
		case e.Kind == ticket.EventExtended && line.Act == policy.ActExtended && e.At.Equal(line.From):
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
