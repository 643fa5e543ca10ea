package ticket

// Status is the status of a ticket.
type Status string

// The statuses: new → open → (waiting ⇄ open) → resolved → closed. Closed is final.
const (
	StatusNew      Status = "new"      // neither answered nor assigned
	StatusOpen     Status = "open"     // the desk has the next move
	StatusWaiting  Status = "waiting"  // the requester has the next move
	StatusResolved Status = "resolved" // done unless the requester replies
	StatusClosed   Status = "closed"   // done for good
)

// Statuses returns every status in the usual order.
func Statuses() []Status {
	return []Status{StatusNew, StatusOpen, StatusWaiting, StatusResolved, StatusClosed}
}

// Cause is why a ticket was resolved or closed.
type Cause string

// The causes.
const (
	CauseAgent     Cause = "agent"     // staff resolved or closed it
	CauseRequester Cause = "requester" // the requester confirmed the resolution
	CauseWithdrawn Cause = "withdrawn" // the requester withdrew the ticket
	CauseSilence   Cause = "silence"   // the requester did not answer within the policy's period
)
