package ticket

import (
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// Call is an effect: a webhook owed by one event. It holds no words and no names but the webhook's own.
type Call struct {
	Event    int    // the timeline number of the event that owes it
	Webhook  string // its name in the policy
	Clock    policy.ClockName
	Rung     int             // from 1
	Priority policy.Priority // of the ticket from then on
	Broken   time.Time       // the deadline that passed
}

// Fired reports whether a rung of this promise's ladder has fired, from 1.
func (p Promise) Fired(rung int) bool { return rung <= p.Rungs && !slices.Contains(p.Skipped, rung) }

// climbed notes that a rung has fired. One that comes after others that were not for the ticket leaves these behind;
// they may come yet, should its priority change.
func (p *Promise) climbed(rung int) {
	if rung <= p.Rungs {
		p.Skipped = slices.DeleteFunc(slices.Clone(p.Skipped), func(n int) bool { return n == rung })
		if len(p.Skipped) == 0 {
			p.Skipped = nil // as it is after a stay in a history
		}
		return
	}
	left := slices.Clip(p.Skipped) // wantZero into what an earlier state holds
	for n := p.Rungs + 1; n < rung; n++ {
		left = append(left, n)
	}
	p.Rungs, p.Skipped = rung, left
}

// offerRungs offers every rung that is for the promise at the ticket's present priority and has not fired. It falls due
// when its time after the breach has come; where that passed while the ticket had a priority that the rung is not for,
// at the change of the priority that brought it into play. So no change of priority loses a rung or fires one twice.
func (t *Ticket) offerEscalation(name policy.ClockName, p *policy.Policy, offer offer) {
	promise := t.Promise(name)
	if !promise.Escalating() {
		return
	}
	for i, rung := range p.Escalation {
		if promise.Fired(i+1) || !rung.For(name, t.Priority) {
			continue
		}
		due := promise.LadderFrom.Add(rung.After)
		if due.Before(t.Ranked) {
			due = t.Ranked
		}
		offer(MomentRung, name, i+1, due)
	}
}

// tellAll tells whom a rung names: mails to people, calls to webhooks. Where it tells the assignee alone and nobody has
// the ticket, the supervisors hear of it: a rung that reaches nobody is lost.
func (s *story) tellAll(rung policy.Rung, m Moment) {
	audiences := rung.Tell
	if s.t.Assignee == "" && len(rung.People) == 0 && slices.Equal(audiences, []policy.Audience{policy.TellAssignee}) {
		audiences = []policy.Audience{policy.TellSupervisors}
	}
	for _, audience := range audiences {
		s.tell(MailEscalation, audience, m)
	}
	for _, handle := range rung.People {
		s.mails = append(s.mails, Mail{Kind: MailEscalation, Event: s.t.Events, Named: handle, Clock: m.Clock, Rung: m.Rung})
	}
	for _, name := range rung.Webhooks {
		s.calls = append(s.calls, Call{
			Event: s.t.Events, Webhook: name, Clock: m.Clock, Rung: m.Rung,
			Priority: s.t.Priority, Broken: s.t.Promise(m.Clock).BreachedAt,
		})
	}
}

// GiveUp records that a webhook could not be called, for agents to see. Like a bounce it lets nothing fall due.
func GiveUp(t Ticket, d Desk, owed int, webhook string, at time.Time) (Result, error) {
	s := &story{t: t, desk: d}
	s.begin(theDesk, at, 0)
	s.emit(Event{Kind: EventCallFailed, Mail: owed, Webhook: webhook})
	return s.result()
}

func (s *story) acknowledge(c Command) *fault.Error {
	if !s.t.FirstResponse.Escalating() && !s.t.Resolution.Escalating() {
		return fault.Refusal(CodeNothing, "there is no escalation to acknowledge")
	}
	s.emit(Event{Kind: EventAcknowledged, Message: c.Message})
	return nil
}
