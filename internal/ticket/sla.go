package ticket

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// SLAStatus is the SLA status of a promise, as reports count it.
type SLAStatus string

// The SLA statuses. A breach is final, even if the promise is met later. A met resolution becomes pending again when the
// ticket is reopened. The status of a closed ticket is final.
const (
	SLAPending   SLAStatus = "pending"
	SLAMet       SLAStatus = "met"       // met strictly before the deadline
	SLABreached  SLAStatus = "breached"  // the deadline passed first
	SLACancelled SLAStatus = "cancelled" // the ticket was closed before either
)

// SLAStatuses returns every SLA status.
func SLAStatuses() []SLAStatus {
	return []SLAStatus{SLAPending, SLAMet, SLABreached, SLACancelled}
}

// SLAStatus returns the SLA status of a promise. An answer at the instant of the deadline is too late: the breach is
// recorded before the answer.
func (t *Ticket) SLAStatus(name policy.ClockName) SLAStatus {
	switch p := t.Promise(name); {
	case !p.BreachedAt.IsZero():
		return SLABreached
	case !p.MetAt.IsZero():
		return SLAMet
	case t.Closed():
		return SLACancelled
	default:
		return SLAPending
	}
}

// SLARecord is a promise as reports count it. It is charged to the priority, category and agent that the ticket had when the
// SLA status was decided, or has now if it is pending. So a ticket that is raised or reassigned after a breach does not
// take the breach along.
type SLARecord struct {
	SLAStatus SLAStatus
	Priority  policy.Priority
	Category  string
	Agent     PersonID  // empty: unassigned
	MetAt     time.Time // zero: not met
}

// RecordSLA returns the SLA record of a promise after events that follow a state. settled reports that the SLA status was
// decided before them; the charge recorded then stands, and that of the result is meaningless.
func RecordSLA(was Ticket, events []Event, name policy.ClockName) (r SLARecord, settled bool) {
	t, charged := was, was
	settled = was.SLAStatus(name) != SLAPending
	for _, e := range events {
		before := t.SLAStatus(name)
		t = Apply(t, e)
		if before == SLAPending || t.SLAStatus(name) == SLAPending {
			charged, settled = t, false
		}
	}
	return SLARecord{
		SLAStatus: t.SLAStatus(name), Priority: charged.Priority, Category: charged.Category, Agent: charged.Assignee,
		MetAt: t.Promise(name).MetAt,
	}, settled
}
