package ticket

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// Verdict is the SLA status of a promise, as reports count it.
type Verdict string

// The SLA statuses. A breach is final, even if the promise is met later. A met resolution becomes pending again when the
// ticket is reopened. The status of a closed ticket is final.
const (
	VerdictOwed    Verdict = "owed"    // pending
	VerdictKept    Verdict = "kept"    // met strictly before the deadline
	VerdictBroken  Verdict = "broken"  // breached: the deadline passed first
	VerdictDropped Verdict = "dropped" // cancelled: the ticket was closed before either
)

// Verdicts returns every SLA status.
func Verdicts() []Verdict {
	return []Verdict{VerdictOwed, VerdictKept, VerdictBroken, VerdictDropped}
}

// Verdict returns the SLA status of a promise. An answer at the instant of the deadline is too late: the breach is
// recorded before the answer.
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

// Ruling is a promise as reports count it. It is charged to the priority, category and agent that the ticket had when the
// SLA status was decided, or has now if it is pending. So a ticket that is raised or reassigned after a breach does not
// take the breach along.
type Ruling struct {
	Verdict  Verdict
	Priority policy.Priority
	Category string
	Agent    PersonID  // empty: unassigned
	MetAt    time.Time // zero: not met
}

// Rule returns the SLA record of a promise after events that follow a state. settled reports that the SLA status was
// decided before them; the charge recorded then stands, and that of the result is meaningless.
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
