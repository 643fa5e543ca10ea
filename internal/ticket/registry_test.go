package ticket_test

import (
	"slices"
	"testing"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Every verb has what people, requests and signals need of it.
func TestDefinitions_areComplete(t *testing.T) {
	seen := map[ticket.Verb]bool{}
	for _, d := range ticket.Definitions() {
		if seen[d.Verb] || d.Label == "" || d.Done == "" || len(d.Roles) == 0 || len(d.Statuses) == 0 {
			t.Errorf("%q is there twice or incomplete: %+v", d.Verb, d)
		}
		seen[d.Verb] = true
		if byHand := slices.Contains(d.Roles, ticket.RoleOperator); byHand != (d.Manual != "") {
			t.Errorf("%s: operators may ask: %v, help for a signal: %q", d.Verb, byHand, d.Manual)
		}
		if slices.Contains(ticket.Signals(), d.Verb) == (d.Verb == ticket.VerbSubmit) {
			t.Errorf("%s is a signal, or is not, against the rule that all but the submission are", d.Verb)
		}
		if d.Verb.NeedsWords() && d.Manual != "" {
			t.Errorf("%s can't be done by hand without words, and has help for it", d.Verb)
		}
	}
}
