package policy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

func TestRecount_tellsEveryEntryAsItWasRecorded(t *testing.T) {
	c := start(t, weekdays("Europe/Berlin").calendar(t), policy.CountBusinessHours, utc(t, "2026-11-30 09:00"), 72*time.Hour)
	c.pause(utc(t, "2026-12-01 12:00"), policy.ReasonWaiting)
	c.pause(utc(t, "2026-12-01 13:30"), policy.ReasonEmergency)
	c.resume(utc(t, "2026-12-02 09:00"), policy.ReasonWaiting)
	c.resume(utc(t, "2026-12-03 11:00"), policy.ReasonEmergency)
	c.do(c.Extend(c.calendar, utc(t, "2026-12-03 12:00"), 7*time.Hour))
	c.do(c.Extend(c.calendar, utc(t, "2026-12-03 12:00"), -2*time.Hour))
	c.do(c.Retarget(c.calendar, utc(t, "2026-12-03 12:00"), 8*time.Hour))
	entry, _ := c.Settle(c.calendar, utc(t, "2026-12-04 12:00"))
	settled := c.With(entry)
	want := strings.TrimSpace(`
Mon 30 Nov 2026 09:00:00 UTC: started with 72h, counted while the desk is open; 0s used, 72h left, due Mon 14 Dec 2026 11:00:00 UTC
Tue 1 Dec 2026 12:00:00 UTC: paused, waiting for the requester; 10h used, 62h left, no deadline while paused (waiting for the requester)
Tue 1 Dec 2026 13:30:00 UTC: paused, emergency; 10h used, 62h left, no deadline while paused (emergency, waiting for the requester)
Wed 2 Dec 2026 09:00:00 UTC: no longer paused for: waiting for the requester; 10h used, 62h left, no deadline while paused (emergency)
Thu 3 Dec 2026 11:00:00 UTC: no longer paused for: emergency; 10h used, 62h left, due Wed 16 Dec 2026 10:00:00 UTC
Thu 3 Dec 2026 12:00:00 UTC: 7h added; 11h used, 68h left, due Thu 17 Dec 2026 10:00:00 UTC
Thu 3 Dec 2026 12:00:00 UTC: 2h taken back; 11h used, 66h left, due Wed 16 Dec 2026 15:00:00 UTC
Thu 3 Dec 2026 12:00:00 UTC: the target is now 8h; 11h used, 2h left, due Thu 3 Dec 2026 14:00:00 UTC
Fri 4 Dec 2026 12:00:00 UTC: done; 18h used, 5h over`)
	if got := strings.Join(settled.Recount(), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got := (policy.Clock{}).Recount(); len(got) != 0 {
		t.Errorf("a clock that has not started has %q", got)
	}
}
