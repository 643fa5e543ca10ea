package desk

import (
	"slices"
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
	case e.ActiveAt(at):
		return StageInForce
	default:
		return StageOver
	}
}

// EmergencyPlan is an emergency as somebody asks for it.
type EmergencyPlan struct {
	Kind           ticket.EmergencyKind
	Notice         string
	From           time.Time     // zero: now
	Until          time.Time     // zero: until it is lifted
	By             time.Duration // delayed: how much longer targets become
	IdempotencyKey IdempotencyKey
}

// EmergencyChange is what somebody asks to change of one; nil leaves it as it is.
type EmergencyChange struct {
	Notice *string
	From   *time.Time     // only of one that is planned
	Until  *time.Time     // the zero time: until it is lifted
	By     *time.Duration // delayed: from now on, or from its beginning while it is planned
}

// EmergencyAction is what somebody did to an emergency.
type EmergencyAction string

// The acts.
const (
	ActionDeclared  EmergencyAction = "declared"
	ActionChanged   EmergencyAction = "changed"
	ActionLifted    EmergencyAction = "lifted"
	ActionCancelled EmergencyAction = "cancelled"
)

// EmergencyEdit is one line of an emergency's record, which is kept for good.
type EmergencyEdit struct {
	Revision int64 // of the gate
	Act      EmergencyAction
	By       Ref // zero: by hand, in Temporal UI
	At       time.Time
	After    EmergencyState // the emergency as it then stood
}

// EmergencyState is what can change about an emergency.
type EmergencyState struct {
	Kind      ticket.EmergencyKind `json:"kind"`
	Notice    string               `json:"notice"`
	From      time.Time            `json:"starts_at"`
	Until     time.Time            `json:"ends_at,omitzero"`
	Delay     int64                `json:"delay_seconds,omitempty"` // in all, from then on
	Cancelled time.Time            `json:"cancelled_at,omitzero"`
}

// State is the emergency as its record keeps it.
func (e Emergency) State() EmergencyState {
	return EmergencyState{
		Kind: e.Kind, Notice: e.Notice, From: e.From, Until: e.Until, Delay: int64(e.Delay() / time.Second), Cancelled: e.Cancelled,
	}
}

// EmergencyFile is everything about one.
type EmergencyFile struct {
	Emergency
	Edits []EmergencyEdit // oldest first
	Mails DeliveryCounts
}

// Fanout is how far the open tickets have come to know of an edge of the gate.
type Fanout struct {
	Transition ticket.Transition
	Revision   int64 // of the gate
	Total      int   // open tickets behind the edge when it began
	Told       int   // signals sent, those sent again too
	Behind     int   // open tickets that are not yet as the gate wants them
	Began      time.Time
	Updated    time.Time
	Proven     time.Time // zero: not yet

	Late []ticket.Number // some of those, at most ticket.MaxLate, once it has taken longer than ticket.FanoutTimeout
}

// Rate is in tickets a second, from its beginning until it was proven; 0 when that can't be said.
func (f Fanout) Rate() float64 {
	took := f.Proven.Sub(f.Began)
	if f.Proven.IsZero() || f.Total == 0 || took <= 0 {
		return 0
	}
	return float64(f.Total) / took.Seconds()
}

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
		s := e.Terms(at)
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
