package desk_test

import (
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var (
	noon     = time.Date(2026, 12, 3, 12, 0, 0, 0, time.UTC)
	tomorrow = noon.Add(24 * time.Hour)
	later    = noon.Add(72 * time.Hour)
)

func closure(from, until time.Time) desk.Emergency {
	return desk.Emergency{Revision: 5, Emergency: ticket.Emergency{Kind: ticket.EmergencyClosed, From: from, Until: until}}
}

func delay(from time.Time, delays ...ticket.Delay) desk.Emergency {
	return desk.Emergency{Revision: 5, Emergency: ticket.Emergency{Kind: ticket.EmergencyDelayed, From: from, Delays: delays}}
}

func cancelled(e desk.Emergency) desk.Emergency {
	e.Cancelled = noon.Add(-time.Hour)
	return e
}

func told(stage desk.EmergencyStage, from, until time.Time, by time.Duration) *desk.EmergencyTerms {
	return &desk.EmergencyTerms{Stage: stage, From: from, Until: until, By: by}
}

func TestTell_announcesAppliedTransitionsOnceAndEachChange(t *testing.T) {
	hour := time.Hour
	for name, c := range map[string]struct {
		emergency desk.Emergency
		told      *desk.EmergencyTerms
		proven    time.Time // noon when zero
		revision  int64     // 5 when 0
		want      desk.AnnouncementKind
	}{
		"begun":                       {emergency: closure(noon, later), want: desk.AnnounceStarted},
		"begun and told":              {emergency: closure(noon, later), told: told(desk.StageInForce, noon, later, 0)},
		"begun as told beforehand":    {emergency: closure(noon, later), told: told(desk.StagePlanned, noon, later, 0), want: desk.AnnounceStarted},
		"begun and not proven":        {emergency: closure(noon, later), proven: noon.Add(-time.Second)},
		"not proven since its change": {emergency: closure(noon, later), revision: 4},
		"its end moved":               {emergency: closure(noon, later), told: told(desk.StageInForce, noon, tomorrow, 0), want: desk.AnnounceChanged},
		"its end opened":              {emergency: closure(noon, time.Time{}), told: told(desk.StageInForce, noon, tomorrow, 0), want: desk.AnnounceChanged},
		"lifted with the next second": {emergency: closure(noon.Add(-hour), noon.Add(time.Second)), told: told(desk.StageInForce, noon.Add(-hour), time.Time{}, 0)},
		"begun with the next second":  {emergency: closure(noon.Add(time.Second), later), told: told(desk.StagePlanned, later, tomorrow, 0)},
		"over":                        {emergency: closure(noon.Add(-hour), noon), told: told(desk.StageInForce, noon.Add(-hour), later, 0), want: desk.AnnounceEnded},
		"over and told":               {emergency: closure(noon.Add(-hour), noon), told: told(desk.StageOver, noon.Add(-hour), noon, 0)},
		"over before anybody worked":  {emergency: closure(noon.Add(-hour), noon), want: desk.AnnounceEnded},
		"over and its end not proven": {emergency: closure(noon.Add(-hour), noon), proven: noon.Add(-hour)},
		"planned long ahead":          {emergency: closure(later, time.Time{}), want: desk.AnnouncePlanned},
		"planned for tomorrow":        {emergency: closure(tomorrow, time.Time{})},
		"planned and told":            {emergency: closure(later, time.Time{}), told: told(desk.StagePlanned, later, time.Time{}, 0)},
		"a plan that moved":           {emergency: closure(later, time.Time{}), told: told(desk.StagePlanned, tomorrow, time.Time{}, 0), want: desk.AnnounceChanged},
		"a plan called off":           {emergency: cancelled(closure(later, time.Time{})), told: told(desk.StagePlanned, later, time.Time{}, 0), want: desk.AnnounceCancelled},
		"called off and told":         {emergency: cancelled(closure(later, time.Time{})), told: told(desk.StageCancelled, later, time.Time{}, 0)},
		"called off and never told":   {emergency: cancelled(closure(later, time.Time{}))},
		"delayed":                     {emergency: delay(noon, ticket.Delay{From: noon, By: hour}), want: desk.AnnounceStarted},
		"delayed and told":            {emergency: delay(noon, ticket.Delay{From: noon, By: hour}), told: told(desk.StageInForce, noon, time.Time{}, hour)},
		"delayed for longer": {
			emergency: delay(noon.Add(-hour), ticket.Delay{From: noon.Add(-hour), By: hour}, ticket.Delay{From: noon, By: 2 * hour}),
			told:      told(desk.StageInForce, noon.Add(-hour), time.Time{}, hour), want: desk.AnnounceChanged,
		},
		"delayed for longer, not proven": {
			emergency: delay(noon.Add(-hour), ticket.Delay{From: noon.Add(-hour), By: hour}, ticket.Delay{From: noon, By: 2 * hour}),
			told:      told(desk.StageInForce, noon.Add(-hour), time.Time{}, hour), proven: noon.Add(-hour),
		},
		"a delay planned for longer": {
			emergency: delay(later, ticket.Delay{From: later, By: 2 * hour}),
			told:      told(desk.StagePlanned, later, time.Time{}, hour), want: desk.AnnounceChanged,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if c.proven.IsZero() {
				c.proven = noon
			}
			if c.revision == 0 {
				c.revision = 5
			}
			tells, _, tell := c.emergency.Tell(c.told, c.proven, noon, c.revision)
			if !tell {
				tells = ""
			}
			if tells != c.want {
				t.Errorf("tells %q, want %q", tells, c.want)
			}
		})
	}
}
