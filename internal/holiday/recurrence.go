package holiday

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-ical"
	"github.com/teambition/rrule-go"
)

// Bounds of what recurrences may cost, all of a file's together. A rule is a program that strangers wrote: what it may
// cost is spent before it runs.
const (
	maxParts     = 64      // numbers and weekdays in one rule
	maxWalk      = 20_000  // years that rules are followed through, each of which costs its days times the parts of the rule
	maxDates     = 20_000  // days that are listed one by one
	maxSteps     = 200_000 // days that events take, each as often as it is taken
	farthestBack = 2       // years before the period that a rule is followed from, where it can be
)

// effort is what was spent on a file so far.
type effort struct{ years, dates, steps int }

var errEffort = errors.New("makes the file too long to work out: it recurs too often")

// spend adds up, and fails when a bound is passed.
func (e *effort) spend(years, dates, steps int) error {
	e.years, e.dates, e.steps = e.years+years, e.dates+dates, e.steps+steps
	if e.years > maxWalk || e.dates > maxDates || e.steps > maxSteps {
		return errEffort
	}
	return nil
}

// recurrences gives the first days of an event in a period, those that begin before it and last into it too. A holiday
// comes back every year or not at all: other frequencies, and rules by the hour, are refused, since they mean another
// kind of event and could be made to cost for ever.
func recurrences(event ical.Event, first time.Time, length int, in Period, spent *effort) ([]time.Time, error) {
	starts := []time.Time{first}
	if rule := event.Props.Get(ical.PropRecurrenceRule); rule != nil {
		var err error
		if starts, err = follow(event, rule.Value, first, length, in, spent); err != nil {
			return nil, err
		}
	}
	extra, err := dates(event, ical.PropRecurrenceDates, spent)
	if err != nil {
		return nil, err
	}
	except, err := dates(event, ical.PropExceptionDates, spent)
	if err != nil {
		return nil, err
	}
	never := map[time.Time]bool{}
	for _, day := range except {
		never[day] = true
	}
	starts = slices.DeleteFunc(append(starts, extra...), func(day time.Time) bool { return never[day] })
	return starts, spent.spend(0, 0, len(starts)*length)
}

// follow gives the days of a rule.
func follow(event ical.Event, text string, first time.Time, length int, in Period, spent *effort) ([]time.Time, error) {
	if strings.Count(text, ",") > maxParts { // before it is read, which costs too
		return nil, fmt.Errorf("recurs in too many ways: %.60q", text)
	}
	option, err := event.Props.RecurrenceRule()
	if err != nil {
		return nil, fmt.Errorf("has a rule of recurrence that can't be read: %.60q", text)
	}
	if option.Freq != rrule.YEARLY || len(option.Byhour)+len(option.Byminute)+len(option.Bysecond)+len(option.Byeaster) > 0 {
		return nil, fmt.Errorf("recurs by %.60q; only what recurs every year is read as a holiday", text)
	}
	if option.Count < 0 || option.Interval < 0 || option.Count > 1000 || option.Interval > 1000 {
		return nil, fmt.Errorf("recurs too often or too seldom: %.60q", text)
	}
	if _, err := rrule.NewRRule(*option); err != nil {
		return nil, fmt.Errorf("has a rule of recurrence that means nothing: %.60q", text)
	}
	rule := yearly{*option, later(first, *option, in)}
	if err := spent.spend(max(0, in.To.Year()-rule.first.Year())+1, 0, 0); err != nil {
		return nil, err
	}
	return rule.between(in.From.AddDate(0, 0, -length), in.To), nil
}

// later is from when on a rule is followed: shortly before the period, for each year is worked out by itself. One that
// counts its days is followed from its first, and so is a day that not every year has.
func later(first time.Time, option rrule.ROption, in Period) time.Time {
	every := max(1, option.Interval)
	skip := (in.From.Year() - farthestBack - first.Year()) / every * every
	if option.Count > 0 || skip <= 0 || first.Month() == time.February && first.Day() == 29 {
		return first
	}
	return first.AddDate(skip, 0, 0)
}

// dates reads a property that lists days.
func dates(event ical.Event, name string, spent *effort) ([]time.Time, error) {
	var all []time.Time
	for _, prop := range event.Props.Values(name) {
		if err := spent.spend(0, 1+strings.Count(prop.Value, ","), 0); err != nil {
			return nil, err
		}
		for text := range strings.SplitSeq(prop.Value, ",") {
			if len(text) < len("20060102") {
				return nil, errors.New("has an " + name + " that is no day")
			}
			day, err := date(text[:len("20060102")])
			if err != nil {
				return nil, errors.New("has an " + name + " that is no day")
			}
			all = append(all, day)
		}
	}
	return all, nil
}
