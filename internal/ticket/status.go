package ticket

// Status is where a ticket stands in its life.
type Status string

// The statuses: new → open → (waiting ⇄ open) → resolved → closed. Closed is final.
const (
	StatusNew      Status = "new"      // nobody has answered or taken it
	StatusOpen     Status = "open"     // the desk has the next move
	StatusWaiting  Status = "waiting"  // the requester has the next move
	StatusResolved Status = "resolved" // done unless the requester says otherwise
	StatusClosed   Status = "closed"   // done for good
)

// Statuses lists every status in the order of a ticket's life.
func Statuses() []Status {
	return []Status{StatusNew, StatusOpen, StatusWaiting, StatusResolved, StatusClosed}
}

// Cause says who or what brought a ticket to an end.
type Cause string

// The causes.
const (
	CauseAgent     Cause = "agent"     // staff resolved or closed it
	CauseRequester Cause = "requester" // the requester confirmed the resolution
	CauseWithdrawn Cause = "withdrawn" // the requester took the ticket back
	CauseSilence   Cause = "silence"   // the requester did not answer in the policy's time
)
