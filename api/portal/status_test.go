package portal

// These tests are in the package itself, because no page can be made to have all these promises.

import (
	"testing"
	"time"
)

func TestPromisedNext_isTheEarlierPendingOne(t *testing.T) {
	early, late := time.Unix(1000, 0), time.Unix(2000, 0)
	for name, c := range map[string]struct {
		first, resolution promise
		want              time.Time
	}{
		"the answer first":         {promise{State: "due", Due: early}, promise{State: "due", Due: late}, early},
		"the resolution first":     {promise{State: "due", Due: late}, promise{State: "due", Due: early}, early},
		"a late answer":            {promise{State: "late", Due: early}, promise{State: "due", Due: late}, early},
		"the answer given":         {promise{State: "met", Due: early}, promise{State: "due", Due: late}, late},
		"the resolution is paused": {promise{State: "due", Due: late}, promise{State: "paused"}, late},
		"nothing is owed":          {promise{State: "met", Due: early}, promise{State: "over", Due: late}, time.Time{}},
	} {
		if got := nextPromise(c.first, c.resolution); !got.At.Equal(c.want) || (got.Words == "") != c.want.IsZero() {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
