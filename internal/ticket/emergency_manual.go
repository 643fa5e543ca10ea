package ticket

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// emergencyPause declares a manual emergency on this ticket alone. Desk-wide emergencies come by the emergency schedule.
func (s *decider) emergencyPause(c Command) *fault.Error {
	if refused := s.checkName(c); refused != nil {
		return refused
	}
	if _, is := s.t.manualPeriod(); is {
		return fault.NewConflict(CodeNothing, "the ticket is already paused by an emergency")
	}
	l := s.ledger()
	l.pause(policy.ReasonEmergency)
	s.emit(Event{Kind: EventPaused, Emergency: nameOrUnnamed(c.Emergency), Clocks: l.entries})
	return nil
}

// checkName refuses the ID of a desk-wide emergency, and a name that the ticket has had before.
func (s *decider) checkName(c Command) *fault.Error {
	if EmergencyID(c.Emergency).Valid() {
		return fault.NewConflict(CodeWholeDesk, "this is the ID of a desk-wide emergency, which can't be declared on a single ticket")
	}
	if _, seen := s.t.period(EmergencyID(c.Emergency)); seen && c.Emergency != unnamedEmergency {
		return fault.NewConflict(CodeNothing, "this emergency has already been declared on the ticket")
	}
	return nil
}

// maxExtension bounds one extension and maxTotalExtension all of a ticket, so that a calendar can compute the deadlines
// and durations do not overflow.
const (
	maxExtension      = 366 * 24 * time.Hour
	maxTotalExtension = 10 * maxExtension
)

func (s *decider) emergencyExtend(c Command) *fault.Error {
	if c.Extension <= 0 || c.Extension > maxExtension || c.Extension%time.Second != 0 {
		return fault.NewConflict(CodeMalformed, "an extension must be a whole number of seconds, from 1 second to 366 days")
	}
	if refused := s.checkName(c); refused != nil {
		return refused
	}
	if s.t.Resolution.Clock.Extension() > maxTotalExtension-c.Extension {
		return fault.NewConflict(CodeLimit, "the targets have already been extended by ten years")
	}
	l := s.ledger()
	l.extend(c.Extension)
	s.emit(Event{Kind: EventExtended, Emergency: nameOrUnnamed(c.Emergency), Delay: c.Extension, Clocks: l.entries})
	return nil
}

// emergencyResume ends a manual emergency. Clocks that a desk-wide emergency pauses as well stay paused until it ends.
func (s *decider) emergencyResume(c Command) *fault.Error {
	period, active := s.t.manualPeriod()
	switch {
	case EmergencyID(c.Emergency).Valid(), !active && s.t.PausingEmergency() != "":
		return fault.NewConflict(CodeWholeDesk, "a desk-wide emergency can't be ended on a single ticket")
	case !active, c.Emergency != "" && EmergencyID(c.Emergency) != period.ID:
		return fault.NewConflict(CodeNoEmergency, "the ticket is not paused by this emergency")
	}
	l := s.ledger()
	if !s.t.pausedByAnother(period.ID) {
		l.resume(policy.ReasonEmergency)
	}
	s.emit(Event{Kind: EventResumed, Emergency: string(period.ID), Clocks: l.entries})
	return nil
}

// unnamedEmergency is the ID of manual emergencies without a name. Each of them is a separate one.
const unnamedEmergency = "manual"

// nameOrUnnamed returns the ID of a manual emergency.
func nameOrUnnamed(emergency string) string {
	if emergency == "" {
		return unnamedEmergency
	}
	return emergency
}

// ManualEmergencyCommand is a manual command to the emergency workflow, sent as a signal from Temporal UI.
type ManualEmergencyCommand struct {
	Key     string `json:"key"` // the same for every delivery of one signal
	Run     string `json:"run"` // ID of the run that received it; a reset starts another run
	Name    string `json:"name"`
	Payload string `json:"payload,omitempty"` // unparsed JSON
}

// EmergencyFields returns the payload fields of a manual command, and nil if there is no such command.
func EmergencyFields(name string) []string {
	return map[string][]string{
		"declare": {"kind", "seconds", "from", "until"},
		"change":  {"emergency", "seconds", "from", "until"}, "extend": {"emergency", "seconds", "until"},
		"lift": {"emergency"}, "cancel": {"emergency"},
	}[name]
}

// ManualEmergencyResult is the result of a manual command to the emergency workflow. Either Done or Refused is set.
type ManualEmergencyResult struct {
	Emergency EmergencyID `json:"emergency,omitempty"`
	Done      string      `json:"done,omitempty"`    // describes what was done
	Refused   string      `json:"refused,omitempty"` // the reason of a refusal
}
