package workflows_test

import (
	"testing"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// The one timer of the workflow wakes a ticket, however it was snoozed. A later snooze moves the timer,
// and a reply of the requester wakes the ticket before it fires.
func TestTicket_wakesAtTheInstantOfItsSnooze(t *testing.T) {
	s := newFixture(t)
	snooze := words(alice, ticket.VerbSnooze)
	snooze.Until = begin.Add(4 * h)
	s.ask(1*h, snooze)
	s.signalByHand(2*h, ticket.VerbSnooze, map[string]any{"until": begin.Add(6 * h)})
	s.signalByHand(7*h, ticket.VerbSnooze, map[string]any{"until": begin.Add(20 * h)})
	s.ask(8*h, words(customer, ticket.VerbCustomerReply))
	s.signalByHand(9*h, ticket.VerbSnooze, map[string]any{"until": "tomorrow"})
	s.signalByHand(10*h, ticket.VerbWake, nil)
	s.closeAt(11 * h)
	s.run()
	s.checkTimeline(
		"0s submitted", "1h0m0s snoozed", "2h0m0s snoozed", "6h0m0s woke", "7h0m0s snoozed", "8h0m0s customer-replied", "8h0m0s woke",
		"9h0m0s refused snooze: malformed", "10h0m0s refused wake: nothing-to-change", "11h0m0s closed by agent",
	)
}
