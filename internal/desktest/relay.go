package desktest

import "github.com/holesalemart/supportdesk/internal/desk"

// NoRelay is a relay that delivers nothing. Commands are accepted under no lease of it.
type NoRelay struct{}

// Wake does nothing.
func (NoRelay) Wake() {}

// Lease returns none.
func (NoRelay) Lease() string { return "" }

// Deliver is not called without a lease.
func (NoRelay) Deliver(desk.AcceptedCommand) { panic("a command was delivered without a lease") }

// Cancel is not called without a lease.
func (NoRelay) Cancel() { panic("there is no lease") }
