package outbox

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/loop"
)

const day = 24 * time.Hour

// terms are how a queue deals with tries that fail.
type terms struct {
	lost     desk.DeliveryStatus // of what can't be delivered
	patience time.Duration       // with deferrals, since the first; zero: until the delivery has expired
	after    string              // patience, in words
	workflow bool                // its workflow waits between tries, and wants to know of each that failed
	counts   bool                // every failed try is a deferral, also one that reached no recipient
	cites    bool                // the reason of a deferral is kept: it quotes nobody
	first    time.Duration       // pause after the first deferral; doubles with each
	most     time.Duration       // at most
}

// Mail servers may put a mail off for days before it counts as undeliverable (RFC 5321, section 4.5.4.1: "the give-up
// time generally needs to be at least 4-5 days"). A server that can't be reached has put nothing off, and neither has a
// worker that doesn't run: however long they are away, the delivery stays owed.
var termsOf = map[Queue]terms{
	TicketMails:       {lost: desk.DeliveryBounced, patience: 5 * day, after: "5 days", workflow: true},
	Webhooks:          {lost: desk.DeliveryFailed, patience: 3 * day, after: "3 days", workflow: true, cites: true},
	AnnouncementMails: {lost: desk.DeliveryBounced, patience: 5 * day, after: "5 days", first: time.Minute, most: time.Hour},
	AccountMails:      {lost: desk.DeliveryBounced, counts: true, first: 2 * time.Second, most: 5 * time.Minute},
}

// pause is how long a delivery rests after one more deferral.
func (t terms) pause(tries int) time.Duration { return loop.Doubled(t.first, t.most, tries) }

const (
	unreachedPause = 15 * time.Second // for what the neighbour went away during: the next try takes another
	brokenPause    = 10 * time.Minute // for what could not be made: a defect, which a new version may mend
)
