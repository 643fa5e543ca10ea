package panel

import (
	"maps"
	"net/url"
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// typedSuffix ends the name of the input in which an instant is typed that the field's choice does not list.
const typedSuffix = "-typed"

// wakeHour is the hour at which a ticket wakes that is snoozed until a day.
const wakeHour = 9

// snoozeChoice returns the usual ends of a snooze, in the zone of now. If the ticket is snoozed until an instant, that
// comes first.
func snoozeChoice(until, now time.Time) choice {
	day := func(days int) time.Time {
		return time.Date(now.Year(), now.Month(), now.Day()+days, wakeHour, 0, 0, 0, now.Location())
	}
	c := choice{Label: "Snooze until", Name: "until", Options: []option{{Text: "–"}}}
	add := func(at time.Time, words string) {
		c.Options = append(c.Options, option{Value: at.UTC().Format(time.RFC3339), Text: words + at.Format("Mon 2 Jan 15:04")})
	}
	if !until.IsZero() {
		c.Options = nil
		add(until.In(now.Location()), "")
		c.Options[0].Chosen = true
	}
	add(now.Add(4*time.Hour).Truncate(time.Minute), "in 4 hours, ")
	add(day(1), "tomorrow, ")
	add(day(1+(7-int(now.Weekday()))%7), "next week, ")
	add(day(7), "in a week, ")
	add(day(30), "in a month, ")
	return c
}

// instants returns a copy of a form in which the verb's instants are in RFC 3339. If nothing was chosen for a field, the
// value that was typed beside the choice counts; it is read in zone.
func instants(form url.Values, verb ticket.Verb, zone *time.Location) url.Values {
	form = maps.Clone(form)
	for _, f := range verb.Definition().Fields {
		typed := form.Get(f.Name + typedSuffix)
		if f.Kind != ticket.FieldInstant || form.Get(f.Name) != "" || typed == "" {
			continue
		}
		if at, err := time.ParseInLocation("2006-01-02T15:04", typed, zone); err == nil {
			typed = at.Format(time.RFC3339)
		}
		form.Set(f.Name, typed)
	}
	return form
}
