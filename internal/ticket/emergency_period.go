package ticket

import (
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// EmergencyPeriod is an emergency as it affected one ticket.
type EmergencyPeriod struct {
	ID    EmergencyID   `json:"id"`             // of the desk-wide emergency, or the name of a manual one
	From  time.Time     `json:"from"`           // when it first affected the ticket
	Until time.Time     `json:"until,omitzero"` // when the clocks resumed, zero while paused; of a delay, when it last changed the targets
	By    time.Duration `json:"by,omitempty"`   // of a delay: how much longer it makes targets, in all
}

func (s EmergencyPeriod) active() bool { return s.Until.IsZero() }

// InEmergency reports whether an emergency, desk-wide or manual, pauses the ticket's clocks.
func (t *Ticket) InEmergency() bool {
	return !t.Closed() && slices.ContainsFunc(t.Emergencies, EmergencyPeriod.active)
}

// PausingEmergency returns the desk-wide emergency that pauses the ticket's clocks, the earliest of several, or "" if none does.
func (t *Ticket) PausingEmergency() EmergencyID {
	for _, s := range t.Emergencies {
		if s.active() && s.ID.Valid() && !t.Closed() {
			return s.ID
		}
	}
	return ""
}

// period returns the ticket's period of an emergency, and false if the emergency has not affected it.
func (t *Ticket) period(id EmergencyID) (EmergencyPeriod, bool) {
	i := slices.IndexFunc(t.Emergencies, func(s EmergencyPeriod) bool { return s.ID == id })
	if i < 0 {
		return EmergencyPeriod{}, false
	}
	return t.Emergencies[i], true
}

// manualPeriod returns the manual emergency that pauses the clocks, and false if none does.
func (t *Ticket) manualPeriod() (EmergencyPeriod, bool) {
	i := slices.IndexFunc(t.Emergencies, func(s EmergencyPeriod) bool { return s.active() && !s.ID.Valid() })
	if i < 0 {
		return EmergencyPeriod{}, false
	}
	return t.Emergencies[i], true
}

// pausedByAnother reports whether an emergency other than id pauses the clocks.
func (t *Ticket) pausedByAnother(id EmergencyID) bool {
	return slices.ContainsFunc(t.Emergencies, func(s EmergencyPeriod) bool { return s.active() && s.ID != id })
}

func (t *Ticket) applyEmergency(e Event) {
	id := EmergencyID(e.Emergency)
	switch e.Kind {
	case EventPaused:
		t.addPeriod(EmergencyPeriod{ID: id, From: e.At})
	case EventExtended:
		t.applyDelay(EmergencyPeriod{ID: id, From: e.At, Until: e.At, By: e.Delay})
	case EventResumed:
		t.Emergencies = slices.Clone(t.Emergencies)
		for i, s := range t.Emergencies {
			if s.active() && s.ID == id {
				t.Emergencies[i].Until = e.At
			}
		}
		if !t.InEmergency() {
			t.shiftByPause(e.At)
		}
	}
}

// applyDelay updates the period of a desk-wide delay, or adds it. Each manual delay has a period of its own.
func (t *Ticket) applyDelay(s EmergencyPeriod) {
	i := slices.IndexFunc(t.Emergencies, func(had EmergencyPeriod) bool { return s.ID.Valid() && had.ID == s.ID })
	if i < 0 {
		t.addPeriod(s)
		return
	}
	t.Emergencies = slices.Clone(t.Emergencies)
	t.Emergencies[i].Until, t.Emergencies[i].By = s.Until, s.By
}

// maxManualPeriods is how many manual emergencies a ticket keeps after their end. Periods of desk-wide emergencies are
// always kept, since they say which transitions have been applied.
const maxManualPeriods = 20

// addPeriod adds a period and drops the oldest ended manual ones beyond maxManualPeriods.
func (t *Ticket) addPeriod(s EmergencyPeriod) {
	t.Emergencies = append(slices.Clone(t.Emergencies), s)
	over := func(s EmergencyPeriod) bool { return !s.ID.Valid() && !s.active() }
	count := 0
	for _, s := range t.Emergencies {
		if over(s) {
			count++
		}
	}
	for ; count > maxManualPeriods; count-- {
		i := slices.IndexFunc(t.Emergencies, over)
		t.Emergencies = slices.Delete(t.Emergencies, i, i+1)
	}
}

// shiftByPause moves everything that counts calendar time by how long the ticket was paused, so that nothing due during
// an emergency is lost or comes early.
func (t *Ticket) shiftByPause(at time.Time) {
	since := t.pausedSince(at)
	length := at.Sub(since)
	t.FirstResponse.EscalatingFrom = addUnlessZero(t.FirstResponse.EscalatingFrom, length)
	t.Resolution.EscalatingFrom = addUnlessZero(t.Resolution.EscalatingFrom, length)
	if t.SilentSince.Before(since) {
		t.SilentSince = addUnlessZero(t.SilentSince, length)
	} else if !t.SilentSince.IsZero() {
		t.SilentSince = at
	}
	if !t.PriorityChangedAt.IsZero() {
		t.PriorityChangedAt = at // escalation steps that a new priority made due during the emergency are due at its end
	}
	if t.SnoozedUntil.Before(at) && !t.SnoozedUntil.IsZero() {
		t.SnoozedUntil = at
	}
	if !t.NotBefore.IsZero() {
		t.NotBefore = at // likewise for another policy version
	}
}

// pausedSince returns when the clocks were paused, at the beginning of the first of overlapping emergencies.
func (t *Ticket) pausedSince(now time.Time) time.Time {
	for _, e := range slices.Backward(t.Resolution.Clock.Ledger) {
		if e.Kind == policy.EntryPaused && e.Reason == policy.ReasonEmergency {
			return e.At
		}
	}
	return now
}

func addUnlessZero(from time.Time, by time.Duration) time.Time {
	if from.IsZero() {
		return from
	}
	return from.Add(by)
}
