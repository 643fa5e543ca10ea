package store_test

import (
	"testing"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// An old ticket may wait for weeks before anything happens to it; until then a supervisor looks it up as well.
func TestStep_showsATicketThatAnEarlierVersionStored(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	if _, err := d.beside.Exec(t.Context(), `UPDATE tickets SET state = state - 'shown' WHERE number = $1`, n); err != nil {
		t.Fatal(err)
	}
	got := d.step(ticket.StepRequest{Number: n, CatchUp: true})
	if got.Digest.PromiseDue.IsZero() {
		t.Errorf("shown: %+v", got.Digest.SearchFields)
	}
	d.consistent(n)
}
