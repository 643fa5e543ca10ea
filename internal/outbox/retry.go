package outbox

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/loop"
)

const day = 24 * time.Hour

// retryPolicy is how a queue deals with tries that fail.
type retryPolicy struct {
	lost        desk.DeliveryStatus // of what can't be delivered
	giveUpAfter time.Duration       // since the first deferral; zero: when the delivery has expired
	giveUpText  string              // the same in words
	repeatable  bool                // its recipients recognise a repetition by its ID, so a try needs no claim
	workflow    bool                // its workflow waits between tries, and wants to know of each that failed
	countsAll   bool                // every failed try is a deferral, also one that reached no recipient
	keepsReason bool                // the reason of a deferral is stored: it holds nothing that anyone wrote
	firstPause  time.Duration       // pause after the first deferral; doubles with each
	maxPause    time.Duration       // at most
}

// Mail servers may defer a mail for days before it counts as undeliverable (RFC 5321, section 4.5.4.1: "the give-up
// time generally needs to be at least 4-5 days"). A server that can't be reached has deferred nothing, and neither has a
// worker that doesn't run: however long they are away, the delivery stays owed.
var retryPolicies = map[Queue]retryPolicy{
	TicketMails:       {lost: desk.DeliveryBounced, giveUpAfter: 5 * day, giveUpText: "5 days", workflow: true},
	Webhooks:          {lost: desk.DeliveryFailed, giveUpAfter: 3 * day, giveUpText: "3 days", repeatable: true, workflow: true, keepsReason: true},
	AnnouncementMails: {lost: desk.DeliveryBounced, giveUpAfter: 5 * day, giveUpText: "5 days", firstPause: time.Minute, maxPause: time.Hour},
	AccountMails:      {lost: desk.DeliveryBounced, countsAll: true, firstPause: 2 * time.Second, maxPause: 5 * time.Minute},
}

// pause is how long a delivery rests after one more deferral.
func (p retryPolicy) pause(tries int) time.Duration {
	return loop.Doubled(p.firstPause, p.maxPause, tries)
}

const (
	unreachedPause = 15 * time.Second // for what the neighbour went away during: the next try takes another
	brokenPause    = 10 * time.Minute // for what could not be made: a defect, which a new version may mend
)
