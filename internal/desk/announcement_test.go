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

func terms(stage desk.EmergencyStage, from, until time.Time, by time.Duration) *desk.EmergencyTerms {
	return &desk.EmergencyTerms{Stage: stage, From: from, Until: until, By: by}
}

func TestAnnouncement_ofAppliedTransitionsOnceAndOfEachChange(t *testing.T) {
	hour := time.Hour
	for name, c := range map[string]struct {
		emergency desk.Emergency
		announced *desk.EmergencyTerms
		checked   time.Time // zero: noon
		revision  int64     // 0: 5
		want      desk.AnnouncementKind
	}{
		"started":                       {emergency: closure(noon, later), want: desk.AnnounceStarted},
		"started and announced":         {emergency: closure(noon, later), announced: terms(desk.StageInForce, noon, later, 0)},
		"started as announced":          {emergency: closure(noon, later), announced: terms(desk.StagePlanned, noon, later, 0), want: desk.AnnounceStarted},
		"started and not applied":       {emergency: closure(noon, later), checked: noon.Add(-time.Second)},
		"not applied since its change":  {emergency: closure(noon, later), revision: 4},
		"its end moved":                 {emergency: closure(noon, later), announced: terms(desk.StageInForce, noon, tomorrow, 0), want: desk.AnnounceChanged},
		"its end opened":                {emergency: closure(noon, time.Time{}), announced: terms(desk.StageInForce, noon, tomorrow, 0), want: desk.AnnounceChanged},
		"lifted with the next second":   {emergency: closure(noon.Add(-hour), noon.Add(time.Second)), announced: terms(desk.StageInForce, noon.Add(-hour), time.Time{}, 0)},
		"started with the next second":  {emergency: closure(noon.Add(time.Second), later), announced: terms(desk.StagePlanned, later, tomorrow, 0)},
		"over":                          {emergency: closure(noon.Add(-hour), noon), announced: terms(desk.StageInForce, noon.Add(-hour), later, 0), want: desk.AnnounceEnded},
		"over and announced":            {emergency: closure(noon.Add(-hour), noon), announced: terms(desk.StageOver, noon.Add(-hour), noon, 0)},
		"over before any announcement":  {emergency: closure(noon.Add(-hour), noon), want: desk.AnnounceEnded},
		"over and its end not applied":  {emergency: closure(noon.Add(-hour), noon), checked: noon.Add(-hour)},
		"planned long ahead":            {emergency: closure(later, time.Time{}), want: desk.AnnouncePlanned},
		"planned for tomorrow":          {emergency: closure(tomorrow, time.Time{})},
		"planned and announced":         {emergency: closure(later, time.Time{}), announced: terms(desk.StagePlanned, later, time.Time{}, 0)},
		"a plan that moved":             {emergency: closure(later, time.Time{}), announced: terms(desk.StagePlanned, tomorrow, time.Time{}, 0), want: desk.AnnounceChanged},
		"a plan cancelled":              {emergency: cancelled(closure(later, time.Time{})), announced: terms(desk.StagePlanned, later, time.Time{}, 0), want: desk.AnnounceCancelled},
		"cancelled and announced":       {emergency: cancelled(closure(later, time.Time{})), announced: terms(desk.StageCancelled, later, time.Time{}, 0)},
		"cancelled and never announced": {emergency: cancelled(closure(later, time.Time{}))},
		"delayed":                       {emergency: delay(noon, ticket.Delay{From: noon, By: hour}), want: desk.AnnounceStarted},
		"delayed and announced":         {emergency: delay(noon, ticket.Delay{From: noon, By: hour}), announced: terms(desk.StageInForce, noon, time.Time{}, hour)},
		"delayed for longer": {
			emergency: delay(noon.Add(-hour), ticket.Delay{From: noon.Add(-hour), By: hour}, ticket.Delay{From: noon, By: 2 * hour}),
			announced: terms(desk.StageInForce, noon.Add(-hour), time.Time{}, hour), want: desk.AnnounceChanged,
		},
		"delayed for longer, not applied": {
			emergency: delay(noon.Add(-hour), ticket.Delay{From: noon.Add(-hour), By: hour}, ticket.Delay{From: noon, By: 2 * hour}),
			announced: terms(desk.StageInForce, noon.Add(-hour), time.Time{}, hour), checked: noon.Add(-hour),
		},
		"a delay planned for longer": {
			emergency: delay(later, ticket.Delay{From: later, By: 2 * hour}),
			announced: terms(desk.StagePlanned, later, time.Time{}, hour), want: desk.AnnounceChanged,
		},
	} {
		t.Run(name, func(t *testing.T) {
			if c.checked.IsZero() {
				c.checked = noon
			}
			if c.revision == 0 {
				c.revision = 5
			}
			kind, _, due := c.emergency.DueAnnouncement(c.announced, c.checked, noon, c.revision)
			if !due {
				kind = ""
			}
			if kind != c.want {
				t.Errorf("announces %q, want %q", kind, c.want)
			}
		})
	}
}

func TestReaches_noOneWithAnEndWhileAnotherClosureLasts(t *testing.T) {
	for name, c := range map[string]struct {
		announces desk.AnnouncementKind
		kind      ticket.EmergencyKind
		closed    bool
		want      bool
	}{
		"a closure ends, and support reopens":       {desk.AnnounceEnded, ticket.EmergencyClosed, false, true},
		"a closure ends beside another":             {desk.AnnounceEnded, ticket.EmergencyClosed, true, false},
		"a delay ends":                              {desk.AnnounceEnded, ticket.EmergencyDelayed, false, true},
		"a delay ends, and support is still closed": {desk.AnnounceEnded, ticket.EmergencyDelayed, true, false},
		"a delay changes beside a closure":          {desk.AnnounceChanged, ticket.EmergencyDelayed, true, true},
		"a closure starts beside another":           {desk.AnnounceStarted, ticket.EmergencyClosed, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			over := terms(desk.StageOver, noon.Add(-time.Hour), noon, 0)
			news := desk.News{Announces: c.announces, EmergencyTerms: *over, Kind: c.kind, StillClosed: c.closed}
			if got := news.Reaches(desk.AffectedRequester{Mailed: true, Informed: true}, time.Minute); got != c.want {
				t.Errorf("it reaches someone who knows of it: %t, want %t", got, c.want)
			}
		})
	}
}
