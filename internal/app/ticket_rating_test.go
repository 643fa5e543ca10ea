package app_test

import (
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestRate_namesInvalidFields(t *testing.T) {
	s, d := newTickets(policy.Default())
	for _, r := range []desk.Rating{
		{Score: 0}, {Score: 6}, {Score: -1}, {Score: 3, Comment: strings.Repeat("é", desk.MaxComment+1)},
	} {
		if _, err := d.Rate(t.Context(), customer, r); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%d: got %v", r.Score, err)
		}
	}
	if _, err := d.Rate(t.Context(), desk.Person{ID: "P-2", Role: ticket.RoleAgent}, desk.Rating{Score: 5}); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("an agent's: got %v", err)
	}
	if len(s.rated) != 0 {
		t.Errorf("stored %+v", s.rated)
	}
	if _, err := d.Rate(t.Context(), customer, desk.Rating{Score: 5, Comment: strings.Repeat("é", desk.MaxComment)}); err != nil || len(s.rated) != 1 {
		t.Errorf("a good one: %v, stored %d", err, len(s.rated))
	}
}
