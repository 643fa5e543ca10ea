package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

func TestSuggest_fromAnyVisitor(t *testing.T) {
	d := open(t)
	long := strings.Repeat("é", desk.MaxSuggestion)
	for _, by := range []desk.Person{{}, d.customer, d.agent} {
		for range 2 { // the second is a double click
			if err := d.Suggest(t.Context(), by, "key of "+string(by.ID), long); err != nil {
				t.Errorf("%q: %v", by.Role, err)
			}
		}
	}
	wantKind(t, d.Suggest(t.Context(), d.customer, "", "a\x00b"), fault.Invalid)
	if n := one[int64](d, `SELECT count(*) FROM suggestions WHERE read_at IS NULL AND body = $1`, long); n != 3 {
		t.Errorf("%d stored, want 3", n)
	}
	if n := one[int64](d, `SELECT count(*) FROM suggestions WHERE person IS NULL`); n != 1 {
		t.Errorf("%d from visitors, want 1", n)
	}
}

func TestImportSuggestions_onceEach(t *testing.T) {
	d := open(t)
	all := []desk.Suggestion{
		{From: &desk.Ref{ID: d.customer.ID}, Body: "Bigger boxes.", At: ago(3)}, {Body: "Bigger boxes.", At: ago(3), Read: ago(2)},
	}
	for round, want := range []int{2, 0} {
		if added, err := d.ImportSuggestions(t.Context(), all); added != want || err != nil {
			t.Errorf("round %d added %d, %v", round+1, added, err)
		}
	}
	if at := one[time.Time](d, `SELECT at FROM suggestions WHERE read_at IS NOT NULL AND person IS NULL`); !at.Equal(all[1].At) {
		t.Errorf("made at %s", at)
	}
}
