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

// recurrences gives the first days of an event in a period, those that begin before it and last into it too. A holiday
// comes back every year or not at all: other frequencies, and rules by the hour, are refused, since they mean another
// kind of event and could be made to cost for ever.
func recurrences(event ical.Event, first time.Time, length int, in Period) ([]time.Time, error) {
	starts := []time.Time{first}
	rule := event.Props.Get(ical.PropRecurrenceRule)
	if rule != nil {
		option, err := event.Props.RecurrenceRule()
		if err != nil {
			return nil, fmt.Errorf("has a rule of recurrence that can't be read: %.60q", rule.Value)
		}
		if option.Freq != rrule.YEARLY || len(option.Byhour)+len(option.Byminute)+len(option.Bysecond) > 0 {
			return nil, fmt.Errorf("recurs by %.60q; only what recurs every year is read as a holiday", rule.Value)
		}
		if option.Count > 1000 || option.Interval > 1000 {
			return nil, fmt.Errorf("recurs too often or too seldom: %.60q", rule.Value)
		}
		option.Dtstart = first
		if option.Until.IsZero() || option.Until.After(in.To) {
			option.Until = in.To
		}
		every, err := rrule.NewRRule(*option)
		if err != nil {
			return nil, fmt.Errorf("has a rule of recurrence that means nothing: %.60q", rule.Value)
		}
		starts = every.Between(in.From.AddDate(0, 0, -length), in.To, true)
	}
	extra, err := dates(event, ical.PropRecurrenceDates)
	if err != nil {
		return nil, err
	}
	except, err := dates(event, ical.PropExceptionDates)
	if err != nil {
		return nil, err
	}
	starts = slices.DeleteFunc(append(starts, extra...), func(day time.Time) bool { return slices.Contains(except, day) })
	return starts, nil
}

// dates reads a property that lists days.
func dates(event ical.Event, name string) ([]time.Time, error) {
	var all []time.Time
	for _, prop := range event.Props.Values(name) {
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
