package ticket

import "github.com/holesalemart/supportdesk/internal/policy"

// Desk is what a ticket's story goes by and is no part of the ticket: the policy that it is pinned to, and the gate.
type Desk struct {
	Policy *policy.Policy
	Gate   Gate
}
