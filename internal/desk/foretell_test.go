package desk_test

import (
	"context"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// TestSubmit_inAnEmergencyPromisesWhatItCan: choosy promises 10 and 20 hours.
func TestSubmit_inAnEmergencyPromisesWhatItCan(t *testing.T) {
	hours := func(n int) time.Time { return birth.Add(time.Duration(n) * time.Hour) }
	both := func(first, resolution int) policy.Promises {
		return policy.Promises{FirstResponse: hours(first), Resolution: hours(resolution)}
	}
	closed := ticket.Emergency{ID: "E-0000000001", Kind: ticket.EmergencyClosed, From: hours(-1)}
	until := closed
	until.Until = hours(5)
	delayed := ticket.Emergency{ID: "E-0000000002", Kind: ticket.EmergencyDelayed, From: hours(-1), Delays: []ticket.Delay{{From: hours(-1), By: 3 * time.Hour}}}
	for name, c := range map[string]struct {
		gate               []ticket.Emergency
		promises, expected policy.Promises
		goesOn             time.Time
	}{
		"closed":       {[]ticket.Emergency{closed}, policy.Promises{}, policy.Promises{}, time.Time{}},
		"closed until": {[]ticket.Emergency{until}, policy.Promises{}, both(15, 25), hours(5)},
		"delayed":      {[]ticket.Emergency{delayed}, both(13, 23), both(13, 23), time.Time{}},
		"both":         {[]ticket.Emergency{until, delayed}, policy.Promises{}, both(18, 28), hours(5)},
	} {
		t.Run(name, func(t *testing.T) {
			s, d := open(parse(t, choosy))
			s.gate = ticket.Gate{Revision: 1, Emergencies: c.gate}
			got, err := d.Submit(context.Background(), customer, desk.Submission{Number: number, Subject: "Leak", Body: "It sinks."})
			if err != nil || got.Promises != c.promises || got.Expected != c.expected || !got.GoesOn.Equal(c.goesOn) || len(got.Emergencies) != len(c.gate) {
				t.Errorf("the receipt is %+v: %v", got, err)
			}
		})
	}
}
