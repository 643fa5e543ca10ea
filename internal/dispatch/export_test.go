package dispatch

// Guide returns the help that Temporal UI shows with a ticket.
func Guide() string { return guide() }

// PolledAt checks pollers at an instant.
var PolledAt = polled
