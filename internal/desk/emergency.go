package desk

import (
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// MaxNotice is the maximum length of a notice, in characters.
const MaxNotice = 1000

// EmergencyStage is the stage of an emergency at an instant.
type EmergencyStage string

// The stages.
const (
	StagePlanned   EmergencyStage = "planned"
	StageInForce   EmergencyStage = "in-force"
	StageOver      EmergencyStage = "over"
	StageCancelled EmergencyStage = "cancelled" // before its start
)

// Emergency is an emergency with its notice and the data of its declaration.
type Emergency struct {
	ticket.Emergency
	Notice    string // text for the website and for mails, plain
	By        Ref    // who declared it; zero: a manual command from Temporal UI
	Declared  time.Time
	Cancelled time.Time // zero: it was not
	Revision  int64     // of the emergency schedule, at its last change
	Again     bool      // declared before, with the same key
}

// Reached returns the instant of the emergency's last transition not after now, and the zero time before its start.
func (e Emergency) Reached(now time.Time) time.Time {
	var last time.Time
	transitions := []time.Time{e.From, e.Until}
	for _, d := range e.Delays {
		transitions = append(transitions, d.From)
	}
	for _, at := range transitions {
		if !at.After(now) && at.After(last) {
			last = at
		}
	}
	return last
}

// Stage returns the stage at an instant.
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

// EmergencyPlan is a request to declare an emergency.
type EmergencyPlan struct {
	Kind           ticket.EmergencyKind
	Notice         string
	From           time.Time     // zero: now
	Until          time.Time     // zero: until it is lifted
	By             time.Duration // delayed: extension of targets
	IdempotencyKey IdempotencyKey
}

// EmergencyChange is a request to change an emergency. A nil field is left unchanged.
type EmergencyChange struct {
	Notice *string
	From   *time.Time     // only of a planned one
	Until  *time.Time     // the zero time: until it is lifted
	By     *time.Duration // delayed: from now on, or from its start while it is planned
}

// EmergencyAction is the kind of a change of an emergency.
type EmergencyAction string

// The actions.
const (
	ActionDeclared  EmergencyAction = "declared"
	ActionChanged   EmergencyAction = "changed"
	ActionLifted    EmergencyAction = "lifted"
	ActionCancelled EmergencyAction = "cancelled"
)

// EmergencyEdit is an entry in the audit log of an emergency. Entries are never deleted.
type EmergencyEdit struct {
	Revision int64 // of the emergency schedule
	Act      EmergencyAction
	By       Ref // zero: a manual command from Temporal UI
	At       time.Time
	After    EmergencyState // the emergency after the change
}

// EmergencyState is the state of an emergency in its audit log.
type EmergencyState struct {
	Kind      ticket.EmergencyKind `json:"kind"`
	Notice    string               `json:"notice"`
	From      time.Time            `json:"starts_at"`
	Until     time.Time            `json:"ends_at,omitzero"`
	Delay     int64                `json:"delay_seconds,omitempty"` // the last one planned
	Cancelled time.Time            `json:"cancelled_at,omitzero"`
}

// State returns the state for the audit log.
func (e Emergency) State() EmergencyState {
	return EmergencyState{
		Kind: e.Kind, Notice: e.Notice, From: e.From, Until: e.Until, Delay: int64(e.Delay() / time.Second), Cancelled: e.Cancelled,
	}
}

// EmergencyFile is an emergency with its audit log and the counts of its mails.
type EmergencyFile struct {
	Emergency
	Edits []EmergencyEdit // oldest first
	Mails DeliveryCounts
}

// Fanout is the progress of the fan-out of a transition to the open tickets.
type Fanout struct {
	Transition ticket.Transition
	Revision   int64 // of the emergency schedule
	Total      int   // open tickets that had not applied the transition when it began
	Signaled   int   // signals sent, repetitions included
	Behind     int   // open tickets that have not applied the transition yet
	Began      time.Time
	Updated    time.Time
	VerifiedAt time.Time // when all tickets were found to have applied it; zero: not yet

	Late []ticket.Number // some of those behind, at most ticket.MaxLate, after ticket.FanoutTimeout
}

// Rate returns the tickets per second from Began until VerifiedAt, and 0 for an unfinished or an empty fan-out.
func (f Fanout) Rate() float64 {
	took := f.VerifiedAt.Sub(f.Began)
	if f.VerifiedAt.IsZero() || f.Total == 0 || took <= 0 {
		return 0
	}
	return float64(f.Total) / took.Seconds()
}

// Notice is the notice of an emergency in force or planned, as pages and mails show it.
type Notice struct {
	Emergency ticket.EmergencyID
	Kind      ticket.EmergencyKind
	InForce   bool // false: planned
	From      time.Time
	Until     time.Time     // zero: until it is lifted
	By        time.Duration // delayed: extension of targets
	Text      string        // plain
}

// NoticesAt returns the notices of the emergencies in force at an instant, then of those planned, each by start. It leaves
// out those that are over or cancelled by then, so that all may be an older list.
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
