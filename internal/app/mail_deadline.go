package app

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// inForce is the effect of the emergencies in force when a mail is sent.
type inForce int

const (
	noneInForce    inForce = iota
	delayInForce           // deadlines are later
	closureInForce         // support is closed: clocks are paused
)

// strictest returns the strictest effect of emergencies in force.
func strictest(notices []desk.Notice) inForce {
	effect := noneInForce
	for _, n := range notices {
		switch {
		case !n.InForce:
		case n.Kind == ticket.EmergencyClosed:
			return closureInForce
		default:
			effect = delayInForce
		}
	}
	return effect
}

// mailDeadlines computes the deadlines in a mail, which may be sent long after its event.
type mailDeadlines struct {
	policy   *policy.Policy
	schedule ticket.EmergencySchedule // only if needsSchedule
	inForce  inForce                  // at sentAt
	toStaff  bool

	eventAt, sentAt    time.Time
	atEvent, atSending ticket.Ticket
}

// mailDeadline is what a mail says about one deadline. Each time is zero if the mail does not mention it.
type mailDeadline struct {
	due      time.Time // ahead
	missed   time.Time // passed
	expected time.Time // if the emergency that pauses the clock ends as planned
}

// needsSchedule reports whether compute depends on the emergency schedule.
func (m mailDeadlines) needsSchedule() bool {
	return m.inForce != noneInForce || m.atEvent.InEmergency() || m.atSending.InEmergency()
}

// compute returns the deadlines after the mail's event. If one has passed before the sending, the current ticket decides
// whether it was missed, because the promise may have been met, moved or paused since. While support is closed there are no
// deadlines; afterwards they are those moved by the closure.
func (m mailDeadlines) compute() (firstResponse, resolution mailDeadline, err error) {
	effectAtEvent := noneInForce // a delay that began after the event is not mentioned unless a deadline has passed
	if m.inForce == closureInForce {
		effectAtEvent = closureInForce
	}
	shown, err := m.promises(m.atEvent, effectAtEvent)
	if err != nil {
		return mailDeadline{}, mailDeadline{}, err
	}
	current, err := m.promises(m.atSending, m.inForce)
	if err != nil {
		return mailDeadline{}, mailDeadline{}, err
	}
	for _, name := range policy.ClockNames() {
		if m.passed(shown.Promise(name), current.Promise(name)) && m.missed(current.Promise(name)).IsZero() {
			shown = current // for both promises, or the first response could be due after the resolution
			break
		}
	}
	if m.atEvent.Closed() || m.atEvent.Status == ticket.StatusResolved && !m.toStaff {
		return mailDeadline{}, mailDeadline{}, nil
	}
	return m.deadline(shown.FirstResponse, current.FirstResponse), m.deadline(shown.Resolution, current.Resolution), nil
}

// deadline returns what the mail says about a promise that it shows, given its current state.
func (m mailDeadlines) deadline(shown, current desk.SLAState) mailDeadline {
	breached, ahead, passedAtEvent := !shown.BreachedAt.IsZero(), shown.Due.After(m.sentAt), !shown.Due.After(m.eventAt)
	switch {
	case !shown.MetAt.IsZero():
		return mailDeadline{}
	case m.passed(shown, current), breached && m.pending(current):
		return mailDeadline{missed: m.missed(current)}
	case !breached && (ahead || passedAtEvent && m.pending(current)): // a paused promise has no deadline, which counts as passed
		return mailDeadline{due: shown.Due, expected: shown.Expected}
	}
	return mailDeadline{}
}

// passed reports whether a deadline that the mail shows passed between the event and the sending, and the promise has not
// been met since.
func (m mailDeadlines) passed(shown, current desk.SLAState) bool {
	return shown.BreachedAt.IsZero() && shown.Due.After(m.eventAt) && !shown.Due.After(m.sentAt) && m.pending(current)
}

// pending reports whether a promise can still be met when the mail is sent.
func (m mailDeadlines) pending(current desk.SLAState) bool {
	return current.MetAt.IsZero() && !m.atSending.Closed()
}

// missed returns the deadline of a promise if it has passed when the mail is sent, and the zero time otherwise.
func (m mailDeadlines) missed(current desk.SLAState) time.Time {
	switch {
	case !current.BreachedAt.IsZero():
		return current.BreachedAt
	case current.Due.After(m.sentAt):
		return time.Time{}
	}
	return current.Due
}

// promises returns the promises of a ticket as shown to the mail's recipient. If an emergency affects them, the transitions
// up to the sending are applied first.
func (m mailDeadlines) promises(t ticket.Ticket, effect inForce) (desk.Promised, error) {
	promised := desk.PromisedOf(t, policy.Deadlines{}, time.Time{})
	if effect != noneInForce || t.InEmergency() {
		var err error
		if promised, err = m.afterTransitions(t, effect); err != nil {
			return desk.Promised{}, err
		}
	}
	if !m.toStaff {
		promised = promised.ForRequester()
	}
	return promised, nil
}

// afterTransitions returns the promises of a ticket after the transitions up to the sending of the mail.
func (m mailDeadlines) afterTransitions(t ticket.Ticket, effect inForce) (desk.Promised, error) {
	env := ticket.Environment{Policy: m.policy, Schedule: m.schedule}
	after, err := ticket.ApplyTransitions(t, env, m.sentAt.UTC().Truncate(time.Second))
	if err != nil {
		return desk.Promised{}, err
	}
	expected, err := ticket.Expected(after.Ticket, env)
	if err != nil {
		return desk.Promised{}, err
	}
	promised := desk.PromisedOf(after.Ticket, expected, time.Time{})
	if effect == closureInForce && !after.Ticket.InEmergency() { // a due event precedes the transition; the deadline follows from the next step
		promised.FirstResponse.Due, promised.Resolution.Due = time.Time{}, time.Time{}
	}
	return promised, nil
}
