package dispatch

import "time"

// Guide returns the help that Temporal UI shows with a ticket.
func Guide() string { return guide() }

// PolledAt checks pollers at an instant.
var PolledAt = polled

// Window is the window of a relay.
type Window struct{ window }

// Allowed returns how many new tickets may be under way.
func (w *Window) Allowed(now time.Time) int { return w.allowed(now) }

// Full notes that more are waiting.
func (w *Window) Full() { w.full() }

// Started adds a new ticket that took its first step.
func (w *Window) Started(began, ended time.Time, underWay int) {
	w.started(took{began, ended, underWay})
}

// Commanded adds a command that took a step.
func (w *Window) Commanded(began, ended time.Time, underWay int) {
	w.commanded(took{began, ended, underWay})
}

// The bounds of a window.
const (
	MinWindow = minWindow
	MaxWindow = maxWindow
)
