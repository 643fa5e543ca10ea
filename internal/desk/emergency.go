package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// MaxNotice is the longest notice, in characters.
const MaxNotice = 1000

// EmergencyStage is how far an emergency has come at an instant.
type EmergencyStage string

// The stages.
const (
	StagePlanned   EmergencyStage = "planned"
	StageInForce   EmergencyStage = "in-force"
	StageOver      EmergencyStage = "over"
	StageCancelled EmergencyStage = "cancelled" // before it began
)

// Emergency is one with everything that people may read of it.
type Emergency struct {
	ticket.Emergency
	Notice    string // what the website and the mails say, plain text
	By        Ref    // who declared it; zero when that was done by hand, in Temporal UI
	Declared  time.Time
	Cancelled time.Time // zero: it was not
	Revision  int64     // of the gate, at its last change
	Again     bool      // declared before, under the same key
}

// Reached is when the emergency last began, changed its delay or ended, up to an instant; zero before it begins.
func (e Emergency) Reached(now time.Time) time.Time {
	var last time.Time
	edges := []time.Time{e.From, e.Until}
	for _, d := range e.Delays {
		edges = append(edges, d.From)
	}
	for _, at := range edges {
		if !at.After(now) && at.After(last) {
			last = at
		}
	}
	return last
}

// Stage gives how far it has come.
func (e Emergency) Stage(at time.Time) EmergencyStage {
	switch {
	case !e.Cancelled.IsZero():
		return StageCancelled
	case at.Before(e.From):
		return StagePlanned
	case e.Covers(at):
		return StageInForce
	default:
		return StageOver
	}
}

// EmergencyPlan is an emergency as somebody asks for it.
type EmergencyPlan struct {
	Kind   ticket.EmergencyKind
	Notice string
	From   time.Time     // zero: now
	Until  time.Time     // zero: until it is lifted
	By     time.Duration // delayed: how much longer targets become
	Once   Once
}

// EmergencyChange is what somebody asks to change of one; nil leaves it as it is.
type EmergencyChange struct {
	Notice *string
	From   *time.Time     // only of one that is planned
	Until  *time.Time     // the zero time: until it is lifted
	By     *time.Duration // delayed: from now on, or from its beginning while it is planned
}
