// Package holiday reads holidays from iCalendar files (RFC 5545) as published by governments and shops. Input may be
// hostile: size, years, events, days and recurrences are bounded. It knows the holidays of policies and nothing of
// where files come from.
package holiday

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/emersion/go-ical"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// Limits.
const (
	MaxFile   = 1 << 20 // bytes
	maxEvents = 5000
	maxYears  = 20  // in a period
	maxDays   = 366 // in an event
	maxName   = 200 // characters
)

// Period is a range of days, midnight UTC, both included.
type Period struct{ From, To time.Time }

// Years returns the period of n calendar years starting with that of now.
func Years(now time.Time, years int) Period {
	from := time.Date(now.Year(), time.January, 1, 0, 0, 0, 0, time.UTC)
	return Period{From: from, To: from.AddDate(years, 0, -1)}
}

// Parse returns the days in a period that the events of a file cover, ascending and unique. Only events of whole days
// count: those with a time of day are not holidays, nor are cancelled ones. The error is an Invalid fault that names
// the event, if one caused it.
func Parse(file io.Reader, in Period) ([]policy.Holiday, error) {
	if in.To.Before(in.From) || in.To.After(in.From.AddDate(maxYears, 0, 0)) {
		return nil, fault.New(fault.Invalid, "the period must end after it begins, and within %d years", maxYears)
	}
	limited := &io.LimitedReader{R: file, N: MaxFile + 1}
	decoder := ical.NewDecoder(limited)
	days, used := map[time.Time]string{}, &budget{}
	read, events := 0, 0
	for {
		calendar, err := decode(decoder)
		switch {
		case errors.Is(err, io.EOF) && limited.N > 0 && read > 0:
			return sorted(days), nil
		case limited.N <= 0:
			return nil, fault.New(fault.Invalid, "the file is over %d KiB", MaxFile>>10)
		case errors.Is(err, io.EOF): // no calendar
			return nil, fault.New(fault.Invalid, "this is not an iCalendar file: it is empty")
		case err != nil: // not wrapped: the message contains it
			return nil, fault.New(fault.Invalid, "this is not an iCalendar file: %s", firstLine(err))
		}
		read++
		for _, event := range calendar.Events() {
			if events++; events > maxEvents {
				return nil, fault.New(fault.Invalid, "the file has more than %d events", maxEvents)
			}
			if err := addEvent(event, in, days, used); err != nil {
				return nil, err
			}
		}
	}
}

// decode converts a panic of the decoder, whose input is untrusted, into an error.
func decode(decoder *ical.Decoder) (calendar *ical.Calendar, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("a line can't be parsed")
		}
	}()
	return decoder.Decode()
}

// addEvent adds the days of an event.
func addEvent(event ical.Event, in Period, days map[time.Time]string, used *budget) error {
	name := eventName(event)
	if status := event.Props.Get(ical.PropStatus); status != nil && strings.EqualFold(status.Value, "CANCELLED") {
		return nil
	}
	start := event.Props.Get(ical.PropDateTimeStart)
	if start == nil {
		return refuse(name, "has no start")
	}
	if len(start.Value) != len("20060102") {
		return nil // with a time of day
	}
	first, err := date(start.Value)
	if err != nil {
		return refuse(name, "starts on %.20q, which is not a date", start.Value)
	}
	length, err := eventLength(event, first)
	if err != nil {
		return refuse(name, "%s", err)
	}
	starts, err := recurrences(event, first, length, in, used)
	if err != nil {
		return refuse(name, "%s", err)
	}
	for _, day := range starts {
		for i := range length {
			addDay(days, in, day.AddDate(0, 0, i), name)
		}
	}
	return nil
}

func addDay(days map[time.Time]string, in Period, day time.Time, name string) {
	if day.Before(in.From) || day.After(in.To) {
		return
	}
	had, again := days[day]
	switch {
	case !again || had == "":
		days[day] = name
	case name != "" && !slices.Contains(strings.Split(had, ", "), name) && utf8.RuneCountInString(had+", "+name) <= maxName:
		days[day] = had + ", " + name
	}
}

// eventLength returns the number of days of an event. DTEND is exclusive.
func eventLength(event ical.Event, first time.Time) (int, error) {
	length := 1
	if end := event.Props.Get(ical.PropDateTimeEnd); end != nil {
		if len(end.Value) < len("20060102") {
			return 0, fmt.Errorf("ends on %.20q, which is not a date", end.Value)
		}
		last, err := date(end.Value[:len("20060102")])
		if err != nil {
			return 0, fmt.Errorf("ends on %.20q, which is not a date", end.Value)
		}
		length = max(1, int(last.Sub(first)/(24*time.Hour)))
		if last.Before(first) {
			return 0, errors.New("ends before it begins")
		}
	} else if span := event.Props.Get(ical.PropDuration); span != nil {
		d, err := span.Duration()
		if err != nil || d < 0 {
			return 0, fmt.Errorf("has the duration %.20q, which is invalid", span.Value)
		}
		length = max(1, int(d/(24*time.Hour)))
	}
	if length > maxDays {
		return 0, fmt.Errorf("lasts %d days; a holiday may last at most %d", length, maxDays)
	}
	return length, nil
}

func date(text string) (time.Time, error) {
	day, err := time.Parse("20060102", text)
	if err == nil && day.Year() < 1900 {
		err = errors.New("before 1900")
	}
	return day, err
}

// eventName returns the summary of an event, limited to one line of printable characters.
func eventName(event ical.Event) string {
	summary, err := event.Props.Text(ical.PropSummary)
	if err != nil {
		return ""
	}
	words := strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) && r != utf8.RuneError {
			return r
		}
		return ' '
	}, summary)), " ")
	if runes := []rune(words); len(runes) > maxName {
		words = strings.TrimSpace(string(runes[:maxName]))
	}
	return words
}

func refuse(name, format string, args ...any) error {
	return fault.New(fault.Invalid, "the event %q %s", cmp.Or(name, "without a summary"), fmt.Sprintf(format, args...))
}

func sorted(days map[time.Time]string) []policy.Holiday {
	all := make([]policy.Holiday, 0, len(days))
	for day, name := range days {
		all = append(all, policy.Holiday{Date: day, Name: name})
	}
	slices.SortFunc(all, func(a, b policy.Holiday) int { return a.Date.Compare(b.Date) })
	return all
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	if len(line) > 200 {
		line = strings.ToValidUTF8(line[:200], "")
	}
	return line
}
