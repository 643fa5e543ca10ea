package desk_test

import (
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
)

// The instants are in hours after the submission; 0 is the zero time.
func TestForRequester_usesTheEarlierDeadlineForBoth(t *testing.T) {
	type promise struct{ due, expected, met, broken int }
	type read struct{ due, expected, broken int }
	for name, c := range map[string]struct {
		first, resolution promise
		want              read
		byResolution      bool
	}{
		"the answer is due first":                   {promise{due: 8}, promise{due: 240}, read{due: 8}, false},
		"the answer is due later":                   {promise{due: 360}, promise{due: 240}, read{due: 240}, true},
		"stopped by an emergency":                   {promise{expected: 408}, promise{expected: 288}, read{expected: 288}, true},
		"stopped without an end":                    {promise{}, promise{}, read{}, false},
		"the resolution waits for the requester":    {promise{due: 360}, promise{}, read{due: 360}, false},
		"the resolution is broken":                  {promise{due: 360}, promise{due: 240, broken: 240}, read{due: 240, broken: 240}, true},
		"broken, and stopped since":                 {promise{}, promise{broken: 240}, read{broken: 240}, true},
		"both are broken":                           {promise{due: 360, broken: 360}, promise{due: 240, broken: 240}, read{due: 240, broken: 240}, true},
		"the answer was broken first":               {promise{due: 8, broken: 8}, promise{due: 240}, read{due: 8, broken: 8}, false},
		"answered before the resolution was broken": {promise{due: 8, met: 5}, promise{due: 240, broken: 240}, read{due: 8}, false},
		"answered after the resolution was broken":  {promise{due: 360, met: 250}, promise{due: 240, broken: 240}, read{due: 240, broken: 240}, true},
		"answered as the resolution was broken":     {promise{due: 360, met: 240}, promise{due: 240, broken: 240}, read{due: 240, broken: 240}, true},
		"resolved without an answer":                {promise{due: 360}, promise{due: 240, met: 100}, read{}, true},
		"resolved late without an answer":           {promise{due: 360, broken: 360}, promise{due: 240, broken: 240, met: 400}, read{due: 240, broken: 240}, true},
	} {
		t.Run(name, func(t *testing.T) {
			at := func(hours int) time.Time {
				if hours == 0 {
					return time.Time{}
				}
				return time.Unix(0, 0).Add(time.Duration(hours) * time.Hour)
			}
			standing := func(p promise) desk.SLAState {
				return desk.SLAState{Due: at(p.due), Expected: at(p.expected), MetAt: at(p.met), BreachedAt: at(p.broken)}
			}
			p := desk.Promised{FirstResponse: standing(c.first), Resolution: standing(c.resolution)}
			got := p.ForRequester()
			if f := got.FirstResponse; !f.Due.Equal(at(c.want.due)) || !f.Expected.Equal(at(c.want.expected)) || !f.BreachedAt.Equal(at(c.want.broken)) {
				t.Errorf("the requester reads %+v", f)
			}
			if r := got.Resolution; !r.Due.Equal(p.Resolution.Due) || !r.BreachedAt.Equal(p.Resolution.BreachedAt) || !r.Expected.Equal(p.Resolution.Expected) {
				t.Errorf("the resolution became %+v", r)
			}
			if p.ByResolution() != c.byResolution {
				t.Errorf("by the resolution: %v", p.ByResolution())
			}
		})
	}
}
