// Package outbox delivers what is owed to anybody: mails and calls of webhooks. It claims a delivery for one try, has its
// queue's transport send it, and records what became of it, or when it is tried again. It knows neither SQL nor SMTP nor
// HTTP: a store keeps the deliveries and transports send them.
//
// The deliveries of a ticket belong to its workflow, which asks for each with Deliver and keeps those to one recipient in
// order. Those about emergencies go out at the pace of the emergency workflow, which calls DeliverNext. Those of accounts
// are sent by Run, without Temporal: people must be able to sign in while it is away.
package outbox

import (
	"context"
	"log/slog"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
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

// Key names a delivery for ever. A ticket's mails and webhooks count together.
type Key struct {
	Queue  Queue
	Ticket ticket.Number // empty: of no ticket
	N      int64         // within the ticket, or within the queue
}

// Delivery is what is to be sent, as it is loaded for one try.
type Delivery struct {
	Status   desk.DeliveryStatus // only one that is owed is sent
	Tries    int                 // that failed
	Until    time.Time           // it is of no use to anybody then; zero: it always is
	Barred   string              // why it must not be sent to its recipient; empty: it may be
	Obsolete bool                // it says nothing to its recipient any more
	Send     func(context.Context) error
}

// Transport loads and sends the deliveries of one queue. An error of Send is a refusal if it has a method Refusal, and a
// deferral if it has a method Deferral; any other says that the recipient was not reached.
type Transport interface {
	Load(ctx context.Context, k Key) (Delivery, error)
}

// refusal is an answer for good: no other try will deliver it.
type refusal interface {
	error
	Refusal() string // one line for staff
}

// deferral is an answer for now. It counts against the patience with the recipient.
type deferral interface {
	error
	Deferral() string // one line for staff
}

// claims keeps two tries from sending one delivery.
type claims interface {
	// ClaimDelivery claims a delivery for a try, or renews that claim, and reports its queue and whether it could: not
	// while another try's claim on one that is owed lasts.
	ClaimDelivery(ctx context.Context, k Key, try string, lasts time.Duration) (queue Queue, ours bool, err error)
	// ClaimNextDelivery claims the one of a queue that has been due the longest.
	ClaimNextDelivery(ctx context.Context, q Queue, try string, lasts time.Duration) (k Key, found bool, err error)
	// ReleaseDelivery ends a try's claim, if it still has one.
	ReleaseDelivery(ctx context.Context, k Key, try string) error
}

// records keeps what became of deliveries.
type records interface {
	SettleDelivery(ctx context.Context, k Key, status desk.DeliveryStatus, reason string) error
	// DeferDelivery counts a try that failed, lets none begin for a while, and returns when the first one failed.
	DeferDelivery(ctx context.Context, k Key, reason string, pause time.Duration) (since time.Time, err error)
	// PostponeDelivery lets others go first for a while.
	PostponeDelivery(ctx context.Context, k Key, pause time.Duration) error
}

// schedule says when there is something to be sent.
type schedule interface {
	// NextDelivery returns when the first one of a queue may be sent; zero when none is owed.
	NextDelivery(ctx context.Context, q Queue) (time.Time, error)
	// AwaitDeliveries calls wake at once and whenever one is owed, until ctx ends or the store goes away.
	AwaitDeliveries(ctx context.Context, wake func()) error
}

// Store keeps deliveries.
type Store interface {
	claims
	records
	schedule
}

// Outbox delivers. Safe for concurrent use, also by several processes.
type Outbox struct {
	store      Store
	transports map[Queue]Transport
	log        *slog.Logger
}

// New returns an outbox that sends the deliveries of each queue by its transport.
func New(s Store, transports map[Queue]Transport, log *slog.Logger) *Outbox {
	return &Outbox{store: s, transports: transports, log: log}
}
