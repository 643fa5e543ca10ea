package ticket

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// emergencyPause and its like are what somebody declares by hand, on this ticket alone; the desk's own emergencies come
// through the gate.
func (s *story) emergencyPause(c Command) *fault.Error {
	if refused := s.checkName(c); refused != nil {
		return refused
	}
	if _, is := s.t.manualPeriod(); is {
		return fault.Refusal(CodeNothing, "an emergency pauses the ticket already")
	}
	l := s.ledger()
	l.pause(policy.ReasonEmergency)
	s.emit(Event{Kind: EventPaused, Emergency: nameOrUnnamed(c.Emergency), Clocks: l.entries})
	return nil
}

// declarable refuses a name that is the desk's to give, and one that the ticket has had.
func (s *story) checkName(c Command) *fault.Error {
	if EmergencyID(c.Emergency).Valid() {
		return fault.Refusal(CodeWholeDesk, "that is the name of an emergency of the whole desk, which is not declared on one ticket")
	}
	if _, seen := s.t.period(EmergencyID(c.Emergency)); seen && c.Emergency != unnamedEmergency {
		return fault.Refusal(CodeNothing, "this emergency was declared on the ticket already")
	}
	return nil
}

// maxExtension and maxTotalExtension, of all extensions together, keep deadlines where a calendar can reach them, and
// durations where they can be counted.
const (
	maxExtension      = 366 * 24 * time.Hour
	maxTotalExtension = 10 * maxExtension
)

func (s *story) emergencyExtend(c Command) *fault.Error {
	if c.Extension <= 0 || c.Extension > maxExtension || c.Extension%time.Second != 0 {
		return fault.Refusal(CodeMalformed, "an extension is a positive number of whole seconds, a year at most")
	}
	if refused := s.checkName(c); refused != nil {
		return refused
	}
	if s.t.Resolution.Clock.Extension() > maxTotalExtension-c.Extension {
		return fault.Refusal(CodeLimit, "the targets were extended by ten years already")
	}
	l := s.ledger()
	l.extend(c.Extension)
	s.emit(Event{Kind: EventExtended, Emergency: nameOrUnnamed(c.Emergency), Delay: c.Extension, Clocks: l.entries})
	return nil
}

// emergencyResume ends what was declared by hand. Clocks that the desk's emergency stops too stand still until it ends.
func (s *story) emergencyResume(c Command) *fault.Error {
	stay, is := s.t.manualPeriod()
	switch {
	case EmergencyID(c.Emergency).Valid(), !is && s.t.Held() != "":
		return fault.Refusal(CodeWholeDesk, "an emergency of the whole desk is not ended on one ticket")
	case !is, c.Emergency != "" && EmergencyID(c.Emergency) != stay.ID:
		return fault.Refusal(CodeNoEmergency, "no such emergency pauses the ticket")
	}
	l := s.ledger()
	if !s.t.pausedByAnother(stay.ID) {
		l.resume(policy.ReasonEmergency)
	}
	s.emit(Event{Kind: EventResumed, Emergency: string(stay.ID), Clocks: l.entries})
	return nil
}

// unnamedEmergency is the ID of an emergency that was declared by hand and without a name; each is another one.
const unnamedEmergency = "by-hand"

// named gives an emergency that was declared by hand, on one ticket, an ID of its own.
func nameOrUnnamed(emergency string) string {
	if emergency == "" {
		return unnamedEmergency
	}
	return emergency
}

// EmergencyHand is a signal to the workflow Emergency that a person sent from Temporal UI.
type EmergencyHand struct {
	Key     string `json:"key"` // the same for every delivery of one signal
	Run     string `json:"run"` // the workflow's run that heard it: another one after a reset
	Name    string `json:"name"`
	Payload string `json:"payload,omitempty"` // JSON, not yet looked at
}

// EmergencyFields lists the fields that a command by hand takes; nil: there is no such command.
func EmergencyFields(name string) []string {
	return map[string][]string{
		"declare": {"kind", "seconds", "from", "until"},
		"change":  {"emergency", "seconds", "from", "until"}, "extend": {"emergency", "seconds", "until"},
		"lift": {"emergency"}, "cancel": {"emergency"},
	}[name]
}

// HandResult is what came of it.
type HandResult struct {
	Emergency EmergencyID `json:"emergency,omitempty"`
	Done      string      `json:"done,omitempty"`    // what was done, in words
	Refused   string      `json:"refused,omitempty"` // why it was not
}
