package policy_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// oddities are instants with unusual clock changes.
var oddities = []struct{ name, zone, around string }{
	{"no daylight saving", "UTC", "2026-11-30 00:00"},
	{"half an hour off, no daylight saving", "Asia/Kolkata", "2026-11-30 00:00"},
	{"an hour forward", "Europe/Berlin", "2026-03-29 01:00"},
	{"an hour back", "Europe/Berlin", "2026-10-25 01:00"},
	{"end of a leap year, where time's bounds are short", "Europe/Berlin", "2028-12-31 12:00"},
	{"an hour forward", "America/New_York", "2026-03-08 07:00"},
	{"an hour back", "America/New_York", "2026-11-01 06:00"},
	{"half an hour back", "Australia/Lord_Howe", "2026-04-04 15:00"},
	{"half an hour forward", "Australia/Lord_Howe", "2026-10-03 15:30"},
	{"forward at midnight", "America/Sao_Paulo", "2017-10-15 03:00"},
	{"back at midnight", "America/Sao_Paulo", "2018-02-18 02:00"},
	{"forward at midnight", "Asia/Beirut", "2026-03-28 22:00"},
	{"back into a date that had ended", "America/St_Johns", "2007-11-04 02:31"},
	{"forward at midnight", "Africa/Cairo", "2026-04-23 22:00"},
	{"a date that did not exist", "Pacific/Apia", "2011-12-30 10:00"},
	{"back for a month", "Africa/Casablanca", "2026-02-15 02:00"},
}

func TestCalendar_agreesWithTheOracle(t *testing.T) {
	for _, odd := range oddities {
		t.Run(odd.zone+" "+odd.name, func(t *testing.T) {
			t.Parallel()
			around := utc(t, odd.around)
			rapid.Check(t, func(t *rapid.T) {
				s := drawSchedule(t, odd.zone, around)
				from := around.Add(time.Duration(rapid.IntRange(-4*86400, 86400).Draw(t, "from")) * time.Second)
				length := time.Duration(rapid.IntRange(0, 8*86400).Draw(t, "length")) * time.Second
				budget := time.Duration(rapid.IntRange(1, 60*3600).Draw(t, "budget")) * time.Second
				compare(t, s, from, length, budget)
			})
		})
	}
}

// compare checks the calendar of a schedule against the oracle.
func compare(t fataler, s schedule, from time.Time, length, budget time.Duration) {
	t.Helper()
	calendar, slow := s.calendar(t), s.oracle(t)
	limit := from.Add(15 * 24 * time.Hour)
	for _, counting := range policy.CountingModes() {
		to := from.Add(length)
		if got, want := calendar.Elapsed(counting, from, to), slow.elapsed(counting, from, to); got != want {
			t.Fatalf("%s from %s to %s: elapsed %s, the oracle says %s\n%s", counting, from, to, got, want, s.document())
		}
		got, err := calendar.Add(counting, from, budget)
		want, reached := slow.reach(counting, from, budget, limit)
		switch {
		case reached && (err != nil || !got.Equal(want)):
			t.Fatalf("%s from %s: %s reached at %s (%v), the oracle says %s\n%s", counting, from, budget, got, err, want, s.document())
		case !reached && err == nil && got.Before(limit):
			t.Fatalf("%s from %s: %s reached at %s, the oracle says not before %s\n%s", counting, from, budget, got, limit, s.document())
		case err == nil && calendar.Elapsed(counting, from, got) != budget:
			t.Fatalf("%s from %s: %s reached at %s, but elapsed is %s", counting, from, budget, got, calendar.Elapsed(counting, from, got))
		case err != nil && (!errors.Is(err, policy.ErrNeverOpens) || len(allHours(s)) > 0):
			t.Fatalf("%s from %s: %v\n%s", counting, from, err, s.document())
		}
	}
}

func allHours(s schedule) (all []string) {
	for _, spans := range s.hours {
		all = append(all, spans...)
	}
	return all
}

// drawSchedule draws up to three spans a day, including nights, closed days, entire days and consecutive holidays.
func drawSchedule(t *rapid.T, zone string, around time.Time) schedule {
	s := schedule{zone: zone, hours: map[time.Weekday][]string{}}
	minute := rapid.OneOf(rapid.IntRange(0, 24*60), rapid.IntRange(0, 4*60), rapid.SampledFrom([]int{0, 30, 60, 90, 120, 150, 180, 23 * 60, 24 * 60}))
	for wd := time.Sunday; wd <= time.Saturday; wd++ {
		cuts := rapid.SliceOfNDistinct(minute, 0, 6, rapid.ID[int]).Draw(t, wd.String())
		slices.Sort(cuts)
		for ; len(cuts) > 1; cuts = cuts[2:] {
			s.hours[wd] = append(s.hours[wd], fmt.Sprintf("%02d:%02d-%02d:%02d", cuts[0]/60, cuts[0]%60, cuts[1]/60, cuts[1]%60))
		}
	}
	first := rapid.IntRange(-3, 3).Draw(t, "first holiday")
	for i := range rapid.IntRange(0, 5).Draw(t, "holidays") {
		s.holidays = append(s.holidays, around.AddDate(0, 0, first+i).Format(time.DateOnly))
	}
	return s
}

func TestReach_returnsTheFirstInstant(t *testing.T) {
	plain := weekdays("UTC")
	berlin := weekdays("Europe/Berlin")
	night := schedule{zone: "Europe/Berlin", hours: map[time.Weekday][]string{time.Sunday: {"02:30-03:30"}}}
	split := schedule{zone: "UTC", hours: map[time.Weekday][]string{time.Monday: {"09:00-12:00", "13:00-17:00"}}}
	tests := []struct {
		name     string
		schedule schedule
		counts   policy.CountingMode
		from     string // UTC
		budget   time.Duration
		want     string // UTC
	}{
		{"the end of Friday, not the start of Monday", plain, policy.CountBusinessHours, "2026-12-04 10:00", 7 * time.Hour, "2026-12-04 17:00"},
		{"a second more is Monday's first", plain, policy.CountBusinessHours, "2026-12-04 10:00", 7*time.Hour + time.Second, "2026-12-07 10:00:01"},
		{"accepted on Saturday, starts on Monday", plain, policy.CountBusinessHours, "2026-12-05 12:00", time.Hour, "2026-12-07 11:00"},
		{"accepted as the desk closes", plain, policy.CountBusinessHours, "2026-12-04 17:00", time.Hour, "2026-12-07 11:00"},
		{"a second before it closes", plain, policy.CountBusinessHours, "2026-12-04 16:59:59", time.Second, "2026-12-04 17:00"},
		{"the lunch break does not count", split, policy.CountBusinessHours, "2026-11-30 11:30", time.Hour, "2026-11-30 13:30"},
		{"up to the lunch break", split, policy.CountBusinessHours, "2026-11-30 11:30", 30 * time.Minute, "2026-11-30 12:00"},
		{"a business day is the whole local day", plain, policy.CountBusinessDays, "2026-12-04 16:00", 24 * time.Hour, "2026-12-07 16:00"},
		{"up to the end of Friday", plain, policy.CountBusinessDays, "2026-12-04 16:00", 8 * time.Hour, "2026-12-05 00:00"},
		{"three business days over a weekend", plain, policy.CountBusinessDays, "2026-12-04 16:00", 72 * time.Hour, "2026-12-09 16:00"},
		{"always", plain, policy.CountCalendar, "2026-12-05 12:00", 72 * time.Hour, "2026-12-08 12:00"},
		{"nothing is used up at once", plain, policy.CountBusinessHours, "2026-12-05 12:00", 0, "2026-12-05 12:00"},
		{"over the change to summer time", berlin, policy.CountBusinessHours, "2026-03-27 15:00", 2 * time.Hour, "2026-03-30 09:00"},
		{"business days lose the hour that a Sunday loses", schedule{"Europe/Berlin", map[time.Weekday][]string{time.Sunday: {"10:00-11:00"}}, nil},
			policy.CountBusinessDays, "2026-03-28 23:00", 23 * time.Hour, "2026-03-29 22:00"},
		{"hours that half exist, forward", night, policy.CountBusinessHours, "2026-03-28 12:00", 30 * time.Minute, "2026-03-29 01:30"},
		{"hours that half exist twice, back", night, policy.CountBusinessHours, "2026-10-24 12:00", time.Hour, "2026-10-25 02:00"},
		{"and the second time", night, policy.CountBusinessHours, "2026-10-24 12:00", 90 * time.Minute, "2026-10-25 02:30"},
		{"holidays in a row", weekdays("UTC", "2026-12-24", "2026-12-25", "2026-12-28"), policy.CountBusinessHours, "2026-12-23 16:00", 2 * time.Hour, "2026-12-29 11:00"},
		{"Samoa's 30 December 2011 did not exist", weekdays("Pacific/Apia"), policy.CountBusinessHours, "2011-12-30 02:00", 2 * time.Hour, "2012-01-01 21:00"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.schedule.calendar(t).Add(tt.counts, utc(t, tt.from), tt.budget)
			if err != nil || !got.Equal(utc(t, tt.want)) {
				t.Errorf("got %s (%v), want %s", got, err, tt.want)
			}
			if got.Location() != time.UTC {
				t.Errorf("in %s, want UTC", got.Location())
			}
		})
	}
}

func TestReach_roundsUpFractions(t *testing.T) {
	at := utc(t, "2026-12-04 16:00")
	got, err := weekdays("UTC").calendar(t).Add(policy.CountBusinessHours, at.Add(time.Second/2), time.Second/2)
	if err != nil || !got.Equal(at.Add(time.Second)) {
		t.Errorf("got %s (%v), want the next whole second", got, err)
	}
}

func TestReach_skipsClosuresOfAnyLength(t *testing.T) {
	closure := func(until string) *policy.Calendar {
		return parse(t, `
time_zone: Europe/Berlin
hours: {monday: ["10:00-17:00"]}
holidays: [{date: 2027-01-01, until: `+until+`}]
clocks: {first_response: {target: 1h, counts: business_hours}, resolution: {target: 1d, counts: business_days}}
`).Calendar
	}
	for until, want := range map[string]string{
		"2027-12-31": "2028-01-03 11:00", // a year
		"2036-12-31": "2037-01-05 11:00", // ten years
	} {
		got, err := closure(until).Add(policy.CountBusinessHours, utc(t, "2026-12-28 16:00"), time.Hour)
		if err != nil || !got.Equal(in(t, "Europe/Berlin", want)) {
			t.Errorf("closed until %s: got %s (%v), want %s", until, got, err, want)
		}
	}
}

func TestReach_failsIfTheDeskNeverOpens(t *testing.T) {
	never := schedule{zone: "Europe/Berlin"}.calendar(t)
	rarely := schedule{zone: "Europe/Berlin", hours: map[time.Weekday][]string{time.Monday: {"10:00-10:01"}}}.calendar(t)
	always := schedule{zone: "Europe/Berlin", hours: map[time.Weekday][]string{time.Friday: {"00:00-24:00"}, time.Saturday: {"00:00-24:00"}}}.calendar(t)
	at := utc(t, "2026-11-30 09:00")
	for name, reach := range map[string]func() (time.Time, error){
		"no hours":           func() (time.Time, error) { return never.Add(policy.CountBusinessHours, at, time.Second) },
		"no days":            func() (time.Time, error) { return never.Add(policy.CountBusinessDays, at, time.Second) },
		"after year 9999":    func() (time.Time, error) { return rarely.Add(policy.CountBusinessHours, at, 1<<63-1) },
		"calendar, too late": func() (time.Time, error) { return never.Add(policy.CountCalendar, at.AddDate(7900, 0, 0), 1<<63-1) },
		"into year 10000": func() (time.Time, error) {
			return always.Add(policy.CountBusinessHours, utc(t, "9999-12-31 23:59"), time.Hour)
		},
		"from beyond": func() (time.Time, error) { return rarely.Add(policy.CountBusinessDays, at.AddDate(90000, 0, 0), 1) },
	} {
		got, err := reach()
		if !errors.Is(err, policy.ErrNeverOpens) || fault.KindOf(err) != fault.Invalid || !got.IsZero() {
			t.Errorf("%s: got %s (%v), want ErrNeverOpens", name, got, err)
		}
	}
	if got := never.Elapsed(policy.CountBusinessHours, at, at.AddDate(1, 0, 0)); got != 0 {
		t.Errorf("elapsed %s at a desk that never opens", got)
	}
}

func TestElapsed_isBounded(t *testing.T) {
	calendar := weekdays("Europe/Berlin").calendar(t)
	at := utc(t, "2026-11-30 09:00")
	for _, counting := range policy.CountingModes() {
		if got := calendar.Elapsed(counting, at, at.Add(-time.Hour)); got != 0 {
			t.Errorf("%s backwards: %s", counting, got)
		}
		if got := calendar.Elapsed(counting, time.Time{}, at.AddDate(300000, 0, 0)); got < 290*365*24*time.Hour {
			t.Errorf("%s over all of time: %s", counting, got)
		}
	}
}

// FuzzReach checks the calendar against the oracle for any zone, hours, holidays and time.
func FuzzReach(f *testing.F) {
	f.Add(uint8(2), int32(0), uint32(3600), uint32(86400), uint16(2*60), uint16(3*60), uint8(0x7f), uint8(0))
	f.Add(uint8(9), int32(-7200), uint32(1), uint32(7200), uint16(0), uint16(60), uint8(0x7f), uint8(0x18))
	f.Add(uint8(14), int32(-40000), uint32(90000), uint32(200000), uint16(600), uint16(1020), uint8(0x3e), uint8(0xff))
	f.Add(uint8(0), int32(0), uint32(100), uint32(100), uint16(600), uint16(600), uint8(0), uint8(0))
	f.Fuzz(func(t *testing.T, which uint8, from int32, budget, length uint32, opens, closes uint16, days, holidays uint8) {
		odd := oddities[int(which)%len(oddities)]
		around := utc(t, odd.around)
		s := schedule{zone: odd.zone, hours: map[time.Weekday][]string{}}
		start, end := int(opens%1441), int(closes%1441)
		for wd := time.Sunday; wd <= time.Saturday; wd++ {
			if days&(1<<wd) != 0 && start < end {
				s.hours[wd] = []string{fmt.Sprintf("%02d:%02d-%02d:%02d", start/60, start%60, end/60, end%60)}
			}
		}
		for i := range 8 {
			if holidays&(1<<i) != 0 {
				s.holidays = append(s.holidays, around.AddDate(0, 0, i-4).Format(time.DateOnly))
			}
		}
		compare(t, s, around.Add(time.Duration(from%(4*86400))*time.Second),
			time.Duration(length%(8*86400))*time.Second, time.Duration(1+budget%(60*3600))*time.Second)
	})
}

func BenchmarkPromise(b *testing.B) {
	p, at := policy.Default(), time.Date(2026, 11, 30, 9, 0, 0, 0, time.UTC)
	for b.Loop() {
		if _, err := p.DeadlinesFor(at, policy.PriorityNormal); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReach_tenYearsClosedInBerlin(b *testing.B) {
	p, err := policy.Parse([]byte(`
time_zone: Europe/Berlin
hours: {monday: ["10:00-17:00"]}
holidays: [{date: 2027-01-01, until: 2036-12-31}]
clocks: {first_response: {target: 1h, counts: business_hours}, resolution: {target: 1d, counts: business_days}}
`))
	if err != nil {
		b.Fatal(err)
	}
	at := time.Date(2026, 12, 30, 9, 0, 0, 0, time.UTC)
	for b.Loop() {
		if _, err := p.DeadlinesFor(at, policy.PriorityNormal); err != nil {
			b.Fatal(err)
		}
	}
}
