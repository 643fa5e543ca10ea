package outbox

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/loop"
)

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
