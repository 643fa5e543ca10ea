package store_test

import (
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

func TestSuggest_fromAnybody(t *testing.T) {
	d := open(t)
	long := strings.Repeat("é", desk.MaxSuggestion)
	for _, by := range []desk.Person{{}, d.customer, d.agent} {
		if err := d.Suggest(t.Context(), by, long); err != nil {
			t.Errorf("%q: %v", by.Role, err)
		}
	}
	for _, body := range []string{"", " \n ", long + "é", "a\x00b"} {
		wantKind(t, d.Suggest(t.Context(), d.customer, body), fault.Invalid)
	}
	if n := one[int64](d, `SELECT count(*) FROM suggestions WHERE read_at IS NULL AND body = $1`, long); n != 3 {
		t.Errorf("%d kept, want 3", n)
	}
	if n := one[int64](d, `SELECT count(*) FROM suggestions WHERE person IS NULL`); n != 1 {
		t.Errorf("%d from visitors, want 1", n)
	}
}
