package desk

import "time"

// Workload is what waits to be done, as the database has it. Counts stop at MostCounted.
type Workload struct {
	Submissions Waiting // new tickets, other than imported ones, of whose submission no workflow has been notified
	Commands    Waiting // later commands of which none has
	Retried     Waiting // either, after a failed attempt
	Undecided   Waiting // commands that were delivered and that no step has decided, since their delivery
	Overdue     Waiting // due events that have not fired, and are neither parked nor held up by an incoming email
	Deliveries  []OwedDeliveries
	Incoming    Waiting // emails that were received and not processed
	Quarantined Waiting // emails in quarantine
	Workflows   Reconciliation
	Fanout      FanoutProgress
}

// MostCounted is where counts of a Workload stop, so that a large backlog costs no more to count.
const MostCounted = 10_000

// Waiting is how many of something wait, and for how long the oldest has; 0: none.
type Waiting struct {
	Count  int
	Oldest time.Duration
}

// OwedDeliveries are the owed deliveries of a queue, by age.
type OwedDeliveries struct {
	Queue  string
	Ages   [len(DeliveryAges) + 1]int // each is in the first of DeliveryAges that it has not passed, or in the last place
	Oldest time.Duration
}

// DeliveryAges are the ages by which owed deliveries are counted.
var DeliveryAges = [...]time.Duration{time.Minute, 10 * time.Minute, time.Hour, 24 * time.Hour}

// FanoutProgress is the progress of the latest emergency fan-out; zero: there was none.
type FanoutProgress struct {
	Running  bool
	Total    int           // tickets to be notified
	Notified int           // signals sent
	Behind   int           // tickets that the last check found without the transition
	For      time.Duration // since it began, while it runs
}

// DatabaseSessions are the sessions of the database that wait, or make others wait. Sessions of other users count only where the
// program may see them.
type DatabaseSessions struct {
	Locked Waiting // waiting for a lock
	Idle   Waiting // idle in a transaction
}
