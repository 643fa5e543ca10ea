package ticket

import (
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// Stay is one emergency in a ticket's life.
type Stay struct {
	ID    EmergencyID   `json:"id"`             // the desk's; or the name, of another shape, of one declared by hand on this ticket
	From  time.Time     `json:"from"`           // when it reached the ticket
	Until time.Time     `json:"until,omitzero"` // when the clocks went on; zero: it stops them still. Of a delay: when it last changed the targets
	By    time.Duration `json:"by,omitempty"`   // of a delay: how much longer it makes the targets in all
}

func (s Stay) active() bool { return s.Until.IsZero() }

// InEmergency reports whether an emergency, the desk's or one declared by hand, stops the ticket's clocks.
func (t *Ticket) InEmergency() bool {
	return !t.Closed() && slices.ContainsFunc(t.Emergencies, Stay.active)
}

// Held is the desk's emergency that stops the ticket's clocks, the earliest if there are several; empty: none.
func (t *Ticket) Held() EmergencyID {
	for _, s := range t.Emergencies {
		if s.active() && s.ID.Valid() && !t.Closed() {
			return s.ID
		}
	}
	return ""
}

// period gives what the ticket remembers of an emergency.
func (t *Ticket) period(id EmergencyID) (Stay, bool) {
	i := slices.IndexFunc(t.Emergencies, func(s Stay) bool { return s.ID == id })
	if i < 0 {
		return Stay{}, false
	}
	return t.Emergencies[i], true
}

// byOperator gives the emergency declared by hand that stops the clocks.
func (t *Ticket) manualPeriod() (Stay, bool) {
	i := slices.IndexFunc(t.Emergencies, func(s Stay) bool { return s.active() && !s.ID.Valid() })
	if i < 0 {
		return Stay{}, false
	}
	return t.Emergencies[i], true
}

// heldBeside reports whether another emergency stops the clocks too.
func (t *Ticket) pausedByAnother(id EmergencyID) bool {
	return slices.ContainsFunc(t.Emergencies, func(s Stay) bool { return s.active() && s.ID != id })
}

func (t *Ticket) applyEmergency(e Event) {
	id := EmergencyID(e.Emergency)
	switch e.Kind {
	case EventPaused:
		t.addPeriod(Stay{ID: id, From: e.At})
	case EventExtended:
		t.applyDelay(Stay{ID: id, From: e.At, Until: e.At, By: e.Delay})
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

// applyDelay remembers a delay of the desk's once, with its last change; one without a name stands for itself.
func (t *Ticket) applyDelay(s Stay) {
	i := slices.IndexFunc(t.Emergencies, func(had Stay) bool { return s.ID.Valid() && had.ID == s.ID })
	if i < 0 {
		t.addPeriod(s)
		return
	}
	t.Emergencies = slices.Clone(t.Emergencies)
	t.Emergencies[i].Until, t.Emergencies[i].By = s.Until, s.By
}

// maxManualPeriods is how many emergencies declared by hand a ticket remembers after their end. The desk's own are never
// forgotten: what a ticket remembers of them says which edges of the gate it has come to.
const maxManualPeriods = 20

// addPeriod adds a stay, and forgets the oldest of too many that were declared by hand and are over.
func (t *Ticket) addPeriod(s Stay) {
	t.Emergencies = append(slices.Clone(t.Emergencies), s)
	over := func(s Stay) bool { return !s.ID.Valid() && !s.active() }
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

// goOn moves whatever counts calendar time by how long the ticket stood still: nothing that is due in an emergency is
// lost, and nothing comes earlier for it.
func (t *Ticket) shiftByPause(at time.Time) {
	since := t.pausedSince(at)
	length := at.Sub(since)
	t.FirstResponse.LadderFrom = addUnlessZero(t.FirstResponse.LadderFrom, length)
	t.Resolution.LadderFrom = addUnlessZero(t.Resolution.LadderFrom, length)
	if t.SilentSince.Before(since) {
		t.SilentSince = addUnlessZero(t.SilentSince, length)
	} else if !t.SilentSince.IsZero() {
		t.SilentSince = at
	}
	if !t.Ranked.IsZero() {
		t.Ranked = at // what the priority brought into play inside the emergency falls due at its end
	}
	if !t.NotBefore.IsZero() {
		t.NotBefore = at // and likewise what another policy did
	}
}

// pausedSince is when the first of the emergencies that end now began: overlapping ones stop the clocks once.
func (t *Ticket) pausedSince(now time.Time) time.Time {
	for _, e := range slices.Backward(t.Resolution.Clock.Ledger) {
		if e.Act == policy.ActPaused && e.Reason == policy.ReasonEmergency {
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
