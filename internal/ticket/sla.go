package ticket

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// Verdict is what became of a promise, as reports count it.
type Verdict string

// The verdicts. A broken promise stays broken, however late it is delivered; a kept one is owed again when the ticket
// is reopened; one of a closed ticket is final.
const (
	VerdictOwed    Verdict = "owed"    // neither yet
	VerdictKept    Verdict = "kept"    // deliverAsking strictly before its deadline
	VerdictBroken  Verdict = "broken"  // its deadline passed first
	VerdictDropped Verdict = "dropped" // the ticket was closed before either: it is owed to nobody
)

// Verdicts lists every verdict.
func Verdicts() []Verdict {
	return []Verdict{VerdictOwed, VerdictKept, VerdictBroken, VerdictDropped}
}

// Verdict gives what became of the named promise. A deadline that an answer reaches has passed: the breach is told
// before the answer is.
func (t *Ticket) Verdict(name policy.ClockName) Verdict {
	switch p := t.Promise(name); {
	case !p.BreachedAt.IsZero():
		return VerdictBroken
	case !p.MetAt.IsZero():
		return VerdictKept
	case t.Closed():
		return VerdictDropped
	default:
		return VerdictOwed
	}
}

// Ruling is one promise as a report counts it. It is charged to the priority, category and agent that the ticket had
// when the verdict fell, and while the promise is owed to those it has now: a ticket that is raised or handed over
// because its promise was broken doesn't take the breach along.
type Ruling struct {
	Verdict  Verdict
	Priority policy.Priority
	Category string
	Agent    PersonID  // empty: nobody
	MetAt    time.Time // zero: not delivered
}

// Rule gives a promise's ruling after the events that follow a state. settled reports that the verdict fell before
// them: what was recorded then stands, and the ruling's charge is of no use.
func Rule(was Ticket, events []Event, name policy.ClockName) (r Ruling, settled bool) {
	t, charged := was, was
	settled = was.Verdict(name) != VerdictOwed
	for _, e := range events {
		before := t.Verdict(name)
		t = Apply(t, e)
		if before == VerdictOwed || t.Verdict(name) == VerdictOwed {
			charged, settled = t, false
		}
	}
	return Ruling{
		Verdict: t.Verdict(name), Priority: charged.Priority, Category: charged.Category, Agent: charged.Assignee,
		MetAt: t.Promise(name).MetAt,
	}, settled
}
