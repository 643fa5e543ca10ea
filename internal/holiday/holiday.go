// Package holiday reads holidays out of iCalendar files (RFC 5545), as governments and shops publish them. What it is
// given may be hostile: size, years, events, days and what recurs are bounded. It knows policies' holidays and nothing of where files
// come from or go to.
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

// Bounds of what is read.
const (
	MaxFile   = 1 << 20 // bytes
	maxEvents = 5000
	maxYears  = 20  // from the first day asked for to the last
	maxDays   = 366 // of one event
	maxName   = 200 // characters
)

// Period is the days that are asked for, both midnight UTC and included.
type Period struct{ From, To time.Time }

// Years is the period of so many calendar years from that of an instant on.
func Years(now time.Time, years int) Period {
	from := time.Date(now.Year(), time.January, 1, 0, 0, 0, 0, time.UTC)
	return Period{From: from, To: from.AddDate(years, 0, -1)}
}

// Read gives the days of a period that a file's events take, ascending, each once. An event counts if it takes whole
// days: one with a time of day is no holiday, and neither is one that was cancelled. The error is Invalid and names the
// event, where it is one's fault.
func Read(file io.Reader, in Period) ([]policy.Holiday, error) {
	if in.To.Before(in.From) || in.To.After(in.From.AddDate(maxYears, 0, 0)) {
		return nil, fault.New(fault.Invalid, "the period must end after it begins, and within %d years", maxYears)
	}
	limited := &io.LimitedReader{R: file, N: MaxFile + 1}
	decoder := ical.NewDecoder(limited)
	days, spent := map[time.Time]string{}, &effort{}
	read, events := 0, 0
	for {
		calendar, err := decode(decoder)
		switch {
		case errors.Is(err, io.EOF) && limited.N > 0 && read > 0:
			return sorted(days), nil
		case limited.N <= 0:
			return nil, fault.New(fault.Invalid, "the file is over %d KiB", MaxFile>>10)
		case errors.Is(err, io.EOF): // read nothing
			return nil, fault.New(fault.Invalid, "this is not an iCalendar file: it is empty")
		case err != nil: // without its cause, which would say it twice
			return nil, fault.New(fault.Invalid, "this is not an iCalendar file: %s", firstLine(err))
		}
		read++
		for _, event := range calendar.Events() {
			if events++; events > maxEvents {
				return nil, fault.New(fault.Invalid, "the file has more than %d events", maxEvents)
			}
			if err := take(event, in, days, spent); err != nil {
				return nil, err
			}
		}
	}
}

// decode turns a panic of the decoder, which reads what strangers wrote, into an error: in words of ours, for a panic's
// are of no use to people.
func decode(decoder *ical.Decoder) (calendar *ical.Calendar, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("a line has a form that can't be read")
		}
	}()
	return decoder.Decode()
}

// take notes the days of one event.
func take(event ical.Event, in Period, days map[time.Time]string, spent *effort) error {
	name := nameOf(event)
	if status := event.Props.Get(ical.PropStatus); status != nil && strings.EqualFold(status.Value, "CANCELLED") {
		return nil
	}
	start := event.Props.Get(ical.PropDateTimeStart)
	if start == nil {
		return refuse(name, "has no start")
	}
	if len(start.Value) != len("20060102") {
		return nil // it has a time of day
	}
	first, err := date(start.Value)
	if err != nil {
		return refuse(name, "starts on %.20q, which is no day", start.Value)
	}
	length, err := lengthOf(event, first)
	if err != nil {
		return refuse(name, "%s", err)
	}
	starts, err := recurrences(event, first, length, in, spent)
	if err != nil {
		return refuse(name, "%s", err)
	}
	for _, day := range starts {
		for i := range length {
			note(days, in, day.AddDate(0, 0, i), name)
		}
	}
	return nil
}

func note(days map[time.Time]string, in Period, day time.Time, name string) {
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

// lengthOf is how many days an event takes: its end is the first day after it.
func lengthOf(event ical.Event, first time.Time) (int, error) {
	length := 1
	if end := event.Props.Get(ical.PropDateTimeEnd); end != nil {
		if len(end.Value) < len("20060102") {
			return 0, fmt.Errorf("ends on %.20q, which is no day", end.Value)
		}
		last, err := date(end.Value[:len("20060102")])
		if err != nil {
			return 0, fmt.Errorf("ends on %.20q, which is no day", end.Value)
		}
		length = max(1, int(last.Sub(first)/(24*time.Hour)))
		if last.Before(first) {
			return 0, errors.New("ends before it begins")
		}
	} else if span := event.Props.Get(ical.PropDuration); span != nil {
		d, err := span.Duration()
		if err != nil || d < 0 {
			return 0, fmt.Errorf("takes %.20q, which is no duration", span.Value)
		}
		length = max(1, int(d/(24*time.Hour)))
	}
	if length > maxDays {
		return 0, fmt.Errorf("takes %d days; at most %d are read as a holiday", length, maxDays)
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

// nameOf is an event's summary as a policy may hold it: one line of printable characters.
func nameOf(event ical.Event) string {
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
