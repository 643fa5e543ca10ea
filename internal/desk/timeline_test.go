package desk_test

import (
	"slices"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestCausesOf_namesEmergenciesOfALine(t *testing.T) {
	at := func(h int) time.Time { return noon.Add(time.Duration(h) * time.Hour) }
	event := func(kind ticket.EventKind, h int, name string) desk.Entry {
		return desk.Entry{Event: ticket.Event{Kind: kind, At: at(h), Emergency: name}}
	}
	entries := []desk.Entry{
		event(ticket.EventSubmitted, 0, ""), event(ticket.EventPaused, 1, "flood"), event(ticket.EventPaused, 2, "strike"),
		event(ticket.EventResumed, 3, "flood"), event(ticket.EventResumed, 4, "strike"), event(ticket.EventExtended, 5, "snow"),
		event(ticket.EventExtended, 6, "ice"), event(ticket.EventPaused, 7, "by-hand"),
	}
	still := []policy.Reason{policy.ReasonWaiting, policy.ReasonEmergency}
	for name, c := range map[string]struct {
		line policy.Line
		want []string
	}{
		"both at once":          {policy.Line{From: at(1), To: at(4), Reasons: still}, []string{"flood", "strike"}},
		"what was over by then": {policy.Line{From: at(3), To: at(4), Reasons: still}, []string{"strike"}},
		"what came only later":  {policy.Line{From: at(1), To: at(2), Reasons: still}, []string{"flood"}},
		"by hand, still":        {policy.Line{From: at(7), To: at(9), Reasons: still}, []string{"by-hand"}},
		"waiting alone":         {policy.Line{From: at(1), To: at(4), Reasons: still[:1]}, nil},
		"longer by":             {policy.Line{From: at(5), To: at(5), Kind: policy.EntryExtended}, []string{"snow"}},
		"another's instant":     {policy.Line{From: at(5), To: at(5), Kind: policy.EntryRetargeted}, nil},
		"the last line":         {policy.Line{From: at(8), To: at(8), Reasons: still}, nil},
	} {
		if got := desk.CausesOf(c.line, entries); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
