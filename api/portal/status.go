package portal

import (
	"fmt"
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// status is a ticket's status as the requester reads it.
type status struct {
	Label string
	Class string // CSS class of the badge
	Now   string // a sentence
}

var statuses = map[ticket.Status]status{
	ticket.StatusNew:      {"Received", "badge-new", "We have received your request and will look into it."},
	ticket.StatusOpen:     {"In progress", "badge-open", "We are working on it."},
	ticket.StatusWaiting:  {"Waiting for you", "badge-waiting", "We need your reply to continue."},
	ticket.StatusResolved: {"Resolved", "badge-good", "We believe this is resolved. Please let us know if it is."},
	ticket.StatusClosed:   {"Closed", "", "This ticket is closed."},
}

func statusOf(s ticket.Status) status { return statuses[s] }

// statusFor returns a ticket's status as its requester reads it, or a participant.
func statusFor(s ticket.Status, participant bool) status {
	shown := statusOf(s)
	switch {
	case participant && s == ticket.StatusWaiting:
		shown.Label, shown.Now = "Waiting for the requester", "We need a reply from the requester to continue."
	case participant && s == ticket.StatusResolved:
		shown.Now = "We believe this is resolved."
	}
	return shown
}

// promise is one of the ticket's two deadlines as the requester reads it.
type promise struct {
	Clock policy.ClockName
	Label string
	State string    // due, late, met, met-late, paused or over
	Due   time.Time // if due or late: the deadline
	Met   time.Time // if met or met-late
	Why   string    // if paused: why
	// If paused by an emergency: its planned end and the deadline that follows; zero if no end is planned.
	ResumesAt, Expected time.Time
	Stopped             bool              // paused only by an emergency
	Lines               []explanationLine // explanation of the deadline
	Hours               string            // zone of the opening hours; empty if time counts around the clock
}

// explanationLine is a line of the explanation of a deadline, with the emergencies that it refers to.
type explanationLine struct {
	policy.Line
	Causes []page.Cause
}

var promiseLabels = map[policy.ClockName]string{
	policy.FirstResponse: "First response",
	policy.Resolution:    "Resolution",
}

// newPromise returns the promise of a clock. A breach stays visible, also after the target was met late.
func newPromise(name policy.ClockName, s ticket.Status, at desk.SLAState, now time.Time) promise {
	p := promise{Clock: name, Label: promiseLabels[name], Due: at.Due, Met: at.MetAt}
	late := !at.BreachedAt.IsZero()
	if late {
		p.Due = at.BreachedAt
	}
	switch {
	case !at.MetAt.IsZero() && late:
		p.State = "met-late"
	case !at.MetAt.IsZero():
		p.State = "met"
	case s == ticket.StatusClosed, s == ticket.StatusResolved && name == policy.FirstResponse && !late:
		p.State = "over"
	case late || !at.Due.IsZero() && !at.Due.After(now):
		p.State = "late"
	case at.Due.IsZero():
		p.State, p.Why = "paused", pauseReason(at.Paused)
		if p.Stopped = slices.Equal(at.Paused, []policy.Reason{policy.ReasonEmergency}); p.Stopped {
			p.Expected = at.Expected
			if at.ResumesAt.After(now) {
				p.ResumesAt = at.ResumesAt
			}
		}
	default:
		p.State = "due"
	}
	return p
}

// newPromises returns the promises of both clocks.
func newPromises(p desk.Promised, s ticket.Status, now time.Time) (first, resolution promise) {
	p = p.ForRequester()
	return newPromise(policy.FirstResponse, s, p.FirstResponse, now), newPromise(policy.Resolution, s, p.Resolution, now)
}

func pauseReason(reasons []policy.Reason) string {
	switch {
	case slices.Contains(reasons, policy.ReasonEmergency) && slices.Contains(reasons, policy.ReasonWaiting):
		return "Paused: we are closed due to an emergency, and need your reply"
	case slices.Contains(reasons, policy.ReasonEmergency):
		return "Paused: we are closed due to an emergency"
	case slices.Contains(reasons, policy.ReasonWaiting):
		return "Paused until you reply"
	default:
		return "Paused while the ticket is resolved"
	}
}

// nextEvent is what happens next without any action. The zero value is none.
type nextEvent struct {
	Words string
	At    time.Time // zero: no date
}

// nextEventOf returns the next event of a ticket, or the next deadline.
func nextEventOf(v desk.View, now time.Time) nextEvent {
	t := v.Ticket
	first, resolution := newPromises(v.Promised(), t.Status, now)
	switch {
	case t.InEmergency():
		return afterEmergency(first, resolution)
	case t.Status == ticket.StatusWaiting:
		return silenceEvent("Unless you reply, we’ll mark this ticket as resolved", "our email asking for your reply", t, v.Policy.Silence.ResolveAfter, now)
	case t.Status == ticket.StatusResolved:
		return silenceEvent("Unless you reply, this ticket closes automatically", "our email about it", t, v.Policy.Silence.CloseAfter, now)
	case t.Status == ticket.StatusClosed:
		return nextEvent{}
	default:
		return nextPromise(first, resolution)
	}
}

// afterEmergency returns what follows the end of the emergency that pauses the ticket's clocks.
func afterEmergency(first, resolution promise) nextEvent {
	dated := func(p promise) bool { return !p.Expected.IsZero() }
	switch {
	case dated(first) && (!dated(resolution) || !resolution.Expected.Before(first.Expected)):
		return nextEvent{"We are closed due to an emergency. If it ends as planned, you’ll get a first response by", first.Expected}
	case dated(resolution):
		return nextEvent{"We are closed due to an emergency. If it ends as planned, we aim to resolve your request by", resolution.Expected}
	case first.Stopped || resolution.Stopped:
		return nextEvent{Words: "We are closed due to an emergency. Your ticket keeps its place in the queue, and gets new dates when it ends"}
	default:
		return nextEvent{Words: "We are closed due to an emergency. Your ticket keeps its place in the queue"}
	}
}

// nextPromise returns the earlier of the deadlines that are not met yet. A policy may set the first response later
// than the resolution.
func nextPromise(first, resolution promise) nextEvent {
	owed := func(p promise) bool { return p.State == "due" || p.State == "late" }
	switch {
	case owed(first) && (!owed(resolution) || !resolution.Due.Before(first.Due)):
		if first.State == "late" {
			return nextEvent{Words: "Our first response is late, sorry. It was due", At: first.Due}
		}
		return nextEvent{Words: "You’ll get a first response by", At: first.Due}
	case resolution.State == "late":
		return nextEvent{Words: "Our resolution is late, sorry. It was due", At: resolution.Due}
	case resolution.State == "due":
		return nextEvent{Words: "We aim to resolve your request by", At: resolution.Due}
	default:
		return nextEvent{}
	}
}

// silenceEvent returns when the ticket is resolved or closed unless the requester replies. While the mail that asks
// for the reply is not delivered, it says how long after the delivery.
func silenceEvent(words, mail string, t ticket.Ticket, after time.Duration, now time.Time) nextEvent {
	if t.AwaitsDelivery() && after > 0 {
		return nextEvent{Words: fmt.Sprintf("%s %s after %s, which has not been delivered to you yet", words, policy.FormatDays(max(after-t.SilenceBefore, time.Second)), mail)}
	}
	until, counts := t.SilentUntil(after)
	if !counts {
		return nextEvent{}
	}
	if !until.After(now) {
		return nextEvent{Words: words + " shortly"}
	}
	return nextEvent{Words: words + " on", At: until}
}
