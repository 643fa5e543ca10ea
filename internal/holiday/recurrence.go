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

// Limits for the cost of recurrences, for an entire file. Rules are untrusted; what they cost is charged before
// it is done.
const (
	maxParts     = 64      // numbers and weekdays in a rule
	maxRuleYears = 20_000  // years in which rules are expanded
	maxDates     = 20_000  // days listed individually
	maxSteps     = 200_000 // total length of all occurrences, in days
	lookback     = 2       // years before the period from which a rule is expanded, if possible
)

// budget is what a file has cost so far.
type budget struct{ years, dates, steps int }

var errTooComplex = errors.New("recurs too often to be expanded")

// spend adds costs and fails if a limit is exceeded.
func (e *budget) spend(years, dates, steps int) error {
	e.years, e.dates, e.steps = e.years+years, e.dates+dates, e.steps+steps
	if e.years > maxRuleYears || e.dates > maxDates || e.steps > maxSteps {
		return errTooComplex
	}
	return nil
}

// recurrences returns the first days of occurrences that overlap a period. Only yearly rules are accepted, because
// other frequencies do not describe holidays and can be arbitrarily expensive.
func recurrences(event ical.Event, first time.Time, length int, in Period, used *budget) ([]time.Time, error) {
	starts := []time.Time{first}
	if rule := event.Props.Get(ical.PropRecurrenceRule); rule != nil {
		var err error
		if starts, err = expand(event, rule.Value, first, length, in, used); err != nil {
			return nil, err
		}
	}
	extra, err := dates(event, ical.PropRecurrenceDates, used)
	if err != nil {
		return nil, err
	}
	except, err := dates(event, ical.PropExceptionDates, used)
	if err != nil {
		return nil, err
	}
	never := map[time.Time]bool{}
	for _, day := range except {
		never[day] = true
	}
	starts = slices.DeleteFunc(append(starts, extra...), func(day time.Time) bool { return never[day] })
	return starts, used.spend(0, 0, len(starts)*length)
}

// expand returns the days of a rule.
func expand(event ical.Event, text string, first time.Time, length int, in Period, used *budget) ([]time.Time, error) {
	if strings.Count(text, ",") > maxParts { // before parsing, which has a cost, too
		return nil, fmt.Errorf("has a recurrence rule with too many parts: %.60q", text)
	}
	option, err := event.Props.RecurrenceRule()
	if err != nil {
		return nil, fmt.Errorf("has an invalid recurrence rule: %.60q", text)
	}
	if option.Freq != rrule.YEARLY || len(option.Byhour)+len(option.Byminute)+len(option.Bysecond)+len(option.Byeaster) > 0 {
		return nil, fmt.Errorf("has the recurrence rule %.60q; only yearly ones are supported", text)
	}
	if option.Count < 0 || option.Interval < 0 || option.Count > 1000 || option.Interval > 1000 {
		return nil, fmt.Errorf("has an unsupported interval or count: %.60q", text)
	}
	if _, err := rrule.NewRRule(*option); err != nil {
		return nil, fmt.Errorf("has a contradictory recurrence rule: %.60q", text)
	}
	rule := yearly{*option, expansionStart(first, *option, in)}
	return rule.between(in.From.AddDate(0, 0, -length), in.To, used)
}

// expansionStart returns from when on a rule is expanded: shortly before the period, because years are independent.
// Rules with a count, and days that do not exist in every year, are expanded from their start.
func expansionStart(first time.Time, option rrule.ROption, in Period) time.Time {
	every := max(1, option.Interval)
	skip := (in.From.Year() - lookback - first.Year()) / every * every
	if option.Count > 0 || skip <= 0 || first.Month() == time.February && first.Day() == 29 {
		return first
	}
	return first.AddDate(skip, 0, 0)
}

// dates reads a property that lists dates.
func dates(event ical.Event, name string, used *budget) ([]time.Time, error) {
	var all []time.Time
	for _, prop := range event.Props.Values(name) {
		if err := used.spend(0, 1+strings.Count(prop.Value, ","), 0); err != nil {
			return nil, err
		}
		for text := range strings.SplitSeq(prop.Value, ",") {
			if len(text) < len("20060102") {
				return nil, errors.New("has an " + name + " that is not a date")
			}
			day, err := date(text[:len("20060102")])
			if err != nil {
				return nil, errors.New("has an " + name + " that is not a date")
			}
			all = append(all, day)
		}
	}
	return all, nil
}
