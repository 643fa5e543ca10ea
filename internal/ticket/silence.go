package ticket

import (
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// SilenceEnding is a status in which silence counts, and its cause.
type SilenceEnding struct {
	Status Status `json:"status,omitempty"`
	Cause  Cause  `json:"cause,omitempty"`
}

// awaitsRequester reports whether the ticket awaits the requester: silence counts.
func (t *Ticket) awaitsRequester() bool {
	return t.Status == StatusWaiting || t.Status == StatusResolved
}

// AwaitsDelivery reports whether silence has not begun because the mail that asks for an answer has not been delivered.
func (t *Ticket) AwaitsDelivery() bool {
	return t.awaitsRequester() && t.Asked > 0 && t.SilentSince.IsZero()
}

// asksInExchange reports whether the mail of an event asks for the answer that the ticket currently awaits. All such mails of one
// exchange, from the question on, must be deliverable.
func (t *Ticket) asksInExchange(event int) bool {
	return event > 0 && t.AskedFrom <= event && event <= t.Asked && (t.awaitsRequester() || t.BeforeBounce.Status != "")
}

// SilentUntil returns when silence will have lasted for a period, and false if the period is not set or silence has not
// begun.
func (t *Ticket) SilentUntil(period time.Duration) (time.Time, bool) {
	if period <= 0 || t.SilentSince.IsZero() {
		return time.Time{}, false
	}
	return t.SilentSince.Add(period - t.SilenceBefore), true
}

// applySilence restarts silence with every public message of staff: at the event if no mail to the requester follows,
// otherwise at the delivery of the mail. Until then silence does not count.
func (t *Ticket) applySilence(e Event, was SilenceEnding) {
	switch {
	case e.Kind == EventHandedBack:
		t.endSilence()
		t.BeforeBounce = was
	case !t.awaitsRequester():
		t.endSilence()
		if e.endsExchange() {
			t.Asked, t.AskedFrom, t.BeforeBounce = 0, 0, SilenceEnding{}
		}
	case e.restartsSilence():
		t.endSilence()
		t.SilentSince, t.BeforeBounce = e.At, SilenceEnding{}
		t.recordAsking(e, was.Status != t.Status || e.Kind == EventMailResent || e.Kind == EventRequesterChanged)
	case e.Kind == EventNudged:
		t.Nudged = true
		if e.Asks {
			t.SilenceBefore += e.At.Sub(t.SilentSince)
			t.recordAsking(e, false)
		}
	case e.Kind == EventQuestionDelivered:
		t.SilentSince = notBefore(e.Since, t.lastResumed())
		t.NotBefore = e.At // a delivery reported late makes nothing due in the past
	}
}

func (t *Ticket) endSilence() {
	t.SilentSince, t.SilenceBefore, t.Nudged = time.Time{}, 0, false
}

// endsExchange reports whether, after an event that leaves the ticket not awaiting the requester, an earlier mail no longer
// asks for an answer.
func (e Event) endsExchange() bool {
	return e.Status != "" || e.Kind == EventCustomerReplied || e.Kind == EventRequesterChanged
}

// restartsSilence reports whether silence counts anew from an event while the ticket awaits the requester.
func (e Event) restartsSilence() bool {
	return e.Status != "" || e.Answers || e.Kind == EventProgressUpdated || (e.Kind == EventMailResent || e.Kind == EventRequesterChanged) && e.Asks
}

// recordAsking records the event whose mail asks for an answer, and with first that it begins an exchange.
func (t *Ticket) recordAsking(e Event, first bool) {
	if !e.Asks {
		t.Asked, t.AskedFrom = 0, 0
		return
	}
	if first || t.AskedFrom == 0 {
		t.AskedFrom = e.N
	}
	t.Asked, t.SilentSince = e.N, time.Time{}
}

// lastResumed returns when the last emergency that paused the ticket's clocks ended, and zero if there was none.
func (t *Ticket) lastResumed() time.Time {
	for _, e := range slices.Backward(t.Resolution.Clock.Ledger) {
		if e.Kind == policy.EntryResumed && e.Reason == policy.ReasonEmergency {
			return e.At
		}
	}
	return time.Time{}
}
