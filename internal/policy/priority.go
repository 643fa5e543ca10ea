package policy

import "slices"

// Priority is the urgency of a ticket. A policy may have shorter targets for higher priorities.
type Priority string

// The priorities.
const (
	PriorityLow    Priority = "low"
	PriorityNormal Priority = "normal"
	PriorityHigh   Priority = "high"
	PriorityUrgent Priority = "urgent"
)

// Priorities returns all priorities, lowest first.
func Priorities() []Priority {
	return []Priority{PriorityLow, PriorityNormal, PriorityHigh, PriorityUrgent}
}

// Valid reports whether p is one of Priorities.
func (p Priority) Valid() bool { return slices.Contains(Priorities(), p) }

// Next returns the next higher priority; urgent and unknown priorities are returned unchanged.
func (p Priority) Next() Priority {
	all := Priorities()
	if i := slices.Index(all, p); i >= 0 && i+1 < len(all) {
		return all[i+1]
	}
	return p
}
