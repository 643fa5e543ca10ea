package desk

import (
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Notice is what pages and mails say of an emergency that is in force or planned.
type Notice struct {
	Emergency ticket.EmergencyID
	Kind      ticket.EmergencyKind
	InForce   bool // else it is planned
	From      time.Time
	Until     time.Time     // zero: until it is lifted
	By        time.Duration // delayed: how much longer targets are
	Text      string        // plain, as a supervisor wrote it
}

// NoticesAt gives what is to be said at an instant: of what is in force, then of what is planned, each the earliest
// first. What is over or cancelled by then is left out, however old the list is.
func NoticesAt(all []Emergency, at time.Time) []Notice {
	var notices []Notice
	for _, e := range all {
		s := e.Substance(at)
		if s.Stage == StageInForce || s.Stage == StagePlanned {
			notices = append(notices, Notice{
				Emergency: e.ID, Kind: e.Kind, InForce: s.Stage == StageInForce,
				From: e.From, Until: e.Until, By: s.By, Text: e.Notice,
			})
		}
	}
	slices.SortStableFunc(notices, func(a, b Notice) int {
		if a.InForce != b.InForce {
			if a.InForce {
				return -1
			}
			return 1
		}
		return a.From.Compare(b.From)
	})
	return notices
}
