package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// EmergencyAct is what somebody did to an emergency.
type EmergencyAct string

// The acts.
const (
	ActDeclared  EmergencyAct = "declared"
	ActChanged   EmergencyAct = "changed"
	ActLifted    EmergencyAct = "lifted"
	ActCancelled EmergencyAct = "cancelled"
)

// EmergencyEdit is one line of an emergency's record, which is kept for good.
type EmergencyEdit struct {
	Revision int64 // of the gate
	Act      EmergencyAct
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
	Mails Postbag
}
