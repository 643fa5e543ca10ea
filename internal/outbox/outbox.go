// Package outbox delivers emails and webhook calls. For each try it claims a delivery, sends it through the transport of
// its queue, and records the new status or the time of the next try. It must not know SQL, SMTP or HTTP: a store stores
// the deliveries and transports send them.
//
// The deliveries of a ticket are sent by its workflow, which calls Deliver for each, in order for each recipient.
// Announcements are sent at the rate of the emergency workflow, which calls DeliverNext. Mails of accounts are sent by
// Run, without Temporal: people must be able to sign in while it is unavailable.
package outbox

import (
	"context"
	"log/slog"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/loop"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Queue is a kind of delivery.
type Queue string

// The queues.
const (
	TicketMails       Queue = "ticket"
	Webhooks          Queue = "webhook"
	AnnouncementMails Queue = "announcement"
	AccountMails      Queue = "account"
)

// Queues returns all queues.
func Queues() []Queue { return []Queue{TicketMails, Webhooks, AnnouncementMails, AccountMails} }

// Key identifies a delivery. Mails and webhook calls of a ticket share one sequence of numbers.
type Key struct {
	Queue  Queue
	Ticket ticket.Number // empty: not about a ticket
	N      int64         // within the ticket, or within the queue
}

// Delivery is a delivery as it was loaded for one try.
type Delivery struct {
	Status   desk.DeliveryStatus // it is sent only if it is DeliveryOwed
	Tries    int                 // number of failed ones
	Until    time.Time           // when it expires; zero: never
	Barred   string              // why its recipient must not receive it; empty: it may be sent
	Obsolete bool                // its content no longer applies; it is superseded instead of sent
	Send     func(context.Context) error
}

// Transport loads a delivery of one queue for one try. An error of its Send with a method Refusal is permanent, and one with
// a method Deferral is a temporary rejection; any other means that the recipient was not reached.
type Transport func(ctx context.Context, k Key) (Delivery, error)

// refusal is a permanent rejection: further tries are useless.
type refusal interface {
	error
	Refusal() string // one line for staff
}

// deferral is a temporary rejection. A delivery that has been deferred for too long is given up.
type deferral interface {
	error
	Deferral() string // one line for staff
}

// claims prevent two concurrent tries of one delivery.
type claims interface {
	// ClaimDelivery claims a delivery for a try, or renews the try's claim. It reports false while another try has a
	// claim on a delivery that is still owed.
	ClaimDelivery(ctx context.Context, k Key, try string, lasts time.Duration) (ours bool, err error)
	// ClaimNextDelivery claims the delivery of a queue that has been due the longest.
	ClaimNextDelivery(ctx context.Context, q Queue, try string, lasts time.Duration) (k Key, found bool, err error)
	// ReleaseDelivery ends a try's claim, if it has not expired.
	ReleaseDelivery(ctx context.Context, k Key, try string) error
}

// records store the results of tries.
type records interface {
	SettleDelivery(ctx context.Context, k Key, status desk.DeliveryStatus, reason string) error
	// DeferDelivery records a failed try, schedules the next one after a pause, and returns the time of the first
	// deferral.
	DeferDelivery(ctx context.Context, k Key, reason string, pause time.Duration) (since time.Time, err error)
	// PostponeDelivery schedules the next try after a pause, without recording a failed one.
	PostponeDelivery(ctx context.Context, k Key, pause time.Duration) error
}

// schedule reports when deliveries are due.
type schedule interface {
	// NextDelivery returns when the first delivery of a queue is due, or the zero time if none is owed.
	NextDelivery(ctx context.Context, q Queue) (time.Time, error)
	// AwaitDeliveries calls wake immediately and whenever a delivery is added, until ctx ends or the store fails.
	AwaitDeliveries(ctx context.Context, wake func()) error
}

// Store stores deliveries.
type Store interface {
	claims
	records
	schedule
}

// Outbox sends deliveries. It is safe for concurrent use, also by several processes.
type Outbox struct {
	store      Store
	transports map[Queue]Transport
	log        *slog.Logger
}

// New returns an outbox that sends the deliveries of each queue through its transport.
func New(s Store, transports map[Queue]Transport, log *slog.Logger) *Outbox {
	return &Outbox{store: s, transports: transports, log: log}
}

const day = 24 * time.Hour

// retryPolicy is how a queue handles failed tries.
type retryPolicy struct {
	lost        desk.DeliveryStatus // status of a delivery that is given up
	giveUpAfter time.Duration       // since the first deferral; zero: only when the delivery expires
	giveUpText  string              // the same in words
	repeatable  bool                // recipients detect duplicates by ID, so a try needs no claim
	workflow    bool                // a workflow waits between tries, so each failure is returned to it
	countsAll   bool                // every failed try counts as a deferral, also if the recipient was not reached
	keepsReason bool                // the reason of a deferral is stored, because it contains no text that people wrote
	firstPause  time.Duration       // after the first deferral; doubles with each
	maxPause    time.Duration       // at most
}

// A mail server may defer a mail for days before it counts as undeliverable (RFC 5321, section 4.5.4.1: "the give-up
// time generally needs to be at least 4-5 days"). Time in which our mail server or the worker is unavailable does not
// count: the delivery stays owed.
var retryPolicies = map[Queue]retryPolicy{
	TicketMails:       {lost: desk.DeliveryBounced, giveUpAfter: 5 * day, giveUpText: "5 days", workflow: true},
	Webhooks:          {lost: desk.DeliveryFailed, giveUpAfter: 3 * day, giveUpText: "3 days", repeatable: true, workflow: true, keepsReason: true},
	AnnouncementMails: {lost: desk.DeliveryBounced, giveUpAfter: 5 * day, giveUpText: "5 days", firstPause: time.Minute, maxPause: time.Hour},
	AccountMails:      {lost: desk.DeliveryBounced, countsAll: true, firstPause: 2 * time.Second, maxPause: 5 * time.Minute},
}

// pause returns the time until the next try after another deferral, given the number of failed tries before it.
func (p retryPolicy) pause(tries int) time.Duration {
	return loop.Doubled(p.firstPause, p.maxPause, tries)
}

const (
	unreachedPause = 15 * time.Second // after the server was not reached; meanwhile others are tried
	brokenPause    = 10 * time.Minute // after an internal error, which a new version may fix
)
