package policy

import "slices"

// Counting is how a clock's budget is used up.
type Counting string

// The ways to count. A budget is elapsed time, 1d = 24h, whatever the counting.
const (
	CountBusinessHours Counting = "business_hours" // while the desk is open
	CountBusinessDays  Counting = "business_days"  // through the whole local day of every day with opening hours that is no holiday
	CountCalendar      Counting = "calendar"       // always
)

// Countings lists the ways to count.
func Countings() []Counting {
	return []Counting{CountBusinessHours, CountBusinessDays, CountCalendar}
}

// Priority is how urgent a ticket is; a policy may promise more for the higher ones.
type Priority string

// The priorities.
const (
	PriorityLow    Priority = "low"
	PriorityNormal Priority = "normal"
	PriorityHigh   Priority = "high"
	PriorityUrgent Priority = "urgent"
)

// Priorities lists every priority, the lowest first.
func Priorities() []Priority {
	return []Priority{PriorityLow, PriorityNormal, PriorityHigh, PriorityUrgent}
}

// Valid reports whether p is one of Priorities.
func (p Priority) Valid() bool { return slices.Contains(Priorities(), p) }

// Raised is the next higher priority; urgent stays, and so does an unknown one.
func (p Priority) Raised() Priority {
	all := Priorities()
	if i := slices.Index(all, p); i >= 0 && i+1 < len(all) {
		return all[i+1]
	}
	return p
}

// ClockName names one of the two promises that a ticket carries.
type ClockName string

// The clocks.
const (
	FirstResponse ClockName = "first_response" // until a person first answers in public
	Resolution    ClockName = "resolution"     // until the ticket is resolved
)

// ClockNames lists the clocks: the first response, then the resolution.
func ClockNames() []ClockName { return []ClockName{FirstResponse, Resolution} }

// Reason is why a clock stands still.
type Reason string

// The reasons. An emergency pauses every clock; the others pause those whose Rule says so.
const (
	ReasonWaiting   Reason = "waiting"   // the requester has the next move
	ReasonResolved  Reason = "resolved"  // the ticket is resolved
	ReasonEmergency Reason = "emergency" // the desk is closed by an emergency
)

// Audience is who is told at a rung of the escalation ladder.
type Audience string

// The audiences.
const (
	TellAssignee       Audience = "assignee"
	TellSupervisors    Audience = "supervisors"
	TellAdministrators Audience = "administrators"
)

// Audiences lists every audience.
func Audiences() []Audience {
	return []Audience{TellAssignee, TellSupervisors, TellAdministrators}
}
