package workflows_test

import (
	"testing"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// TestTicket_wakesAtTheInstantOfItsSnooze by the workflow's one timer, whoever snoozed it; a later snooze moves the timer,
// and the requester's words come before it.
func TestTicket_wakesAtTheInstantOfItsSnooze(t *testing.T) {
	s := newStage(t)
	snooze := words(alice, ticket.VerbSnooze)
	snooze.Until = begin.Add(4 * h)
	s.ask(1*h, snooze)
	s.hand(2*h, ticket.VerbSnooze, map[string]any{"until": begin.Add(6 * h)})
	s.hand(7*h, ticket.VerbSnooze, map[string]any{"until": begin.Add(20 * h)})
	s.ask(8*h, words(customer, ticket.VerbCustomerReply))
	s.hand(9*h, ticket.VerbSnooze, map[string]any{"until": "tomorrow"})
	s.hand(10*h, ticket.VerbWake, nil)
	s.stop(11 * h)
	s.play()
	s.tells(
		"0s submitted", "1h0m0s snoozed", "2h0m0s snoozed", "6h0m0s woke", "7h0m0s snoozed", "8h0m0s customer-replied", "8h0m0s woke",
		"9h0m0s refused snooze: malformed", "10h0m0s refused wake: nothing-to-change", "11h0m0s closed by agent",
	)
}
