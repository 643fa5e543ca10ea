package ticket

import "github.com/holesalemart/supportdesk/internal/policy"

// Desk is what a ticket's story goes by and is no part of the ticket: the policy that it is pinned to, the gate, and
// who is there to be given tickets by rule.
type Desk struct {
	Policy  *policy.Policy
	Gate    Gate
	Rosters Rosters
	// Unmailed says that no mail goes to the requester, whose account is disabled: silence counts from what asks.
	Unmailed bool
}
