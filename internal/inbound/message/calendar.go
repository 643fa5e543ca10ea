package message

import (
	"bufio"
	"bytes"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/text"
)

// invitation passes a calendar file on and keeps what it says, in words, for a mail without others.
func (r *reader) invitation(p part, body *bufio.Reader) error {
	start, err := readSome(body, maxCalendar)
	if err != nil {
		return err
	}
	if r.calendar == "" {
		r.Calendar, r.calendar = readInvitation(cleanText(decodeBytes(string(start), p.params["charset"])))
	}
	if p.name == "" {
		p.name = "invite.ics"
	}
	return r.file(p, io.MultiReader(bytes.NewReader(start), body))
}

// readInvitation returns what a calendar asks for, and what its first event says. It reads lines, not a calendar, for many
// programs write calendars that their standard forbids.
func readInvitation(calendar string) (method, text string) {
	calendar = folded.ReplaceAllString(calendar, "")
	event := map[string]calendarLine{}
	within := false
	for line := range strings.Lines(calendar) {
		l := parseCalendarLine(strings.TrimRight(line, "\n"))
		switch {
		case l.name == "METHOD":
			method = strings.ToUpper(l.value)
		case l.name == "BEGIN":
			within = strings.EqualFold(l.value, "VEVENT") || strings.EqualFold(l.value, "VTODO")
		case l.name == "END" && within:
			return method, eventText(method, event)
		case within:
			if _, twice := event[l.name]; !twice {
				event[l.name] = l
			}
		}
	}
	if len(event) == 0 {
		return "", ""
	}
	return method, eventText(method, event)
}

var folded = regexp.MustCompile(`\n[ \t]`)

// calendarLine is a line such as DTSTART;TZID=Europe/Rome:20260102T150405.
type calendarLine struct {
	name, value string
	params      map[string]string
}

func parseCalendarLine(line string) calendarLine {
	head, value := cutUnquoted(line, ':')
	name, params := parameters(head, "utf-8")
	return calendarLine{strings.ToUpper(name), strings.TrimSpace(value), params}
}

func eventText(method string, event map[string]calendarLine) string {
	title := map[string]string{
		"REQUEST": "Invitation", "CANCEL": "Cancelled", "REPLY": "Answer to an invitation", "COUNTER": "Proposal of another time",
		"PUBLISH": "Event",
	}[method]
	if title == "" {
		title = "Event"
	}
	lines := []string{title + ": " + calendarText(event["SUMMARY"].value)}
	add := func(label, value string) {
		if value != "" {
			lines = append(lines, label+": "+value)
		}
	}
	add("When", period(event["DTSTART"], event["DTEND"]))
	if event["RRULE"].value != "" {
		add("Repeats", "yes, see the file")
	}
	add("Where", calendarText(event["LOCATION"].value))
	add("Organizer", calendarPerson(event["ORGANIZER"]))
	if method == "REPLY" {
		add("Answer of "+calendarPerson(event["ATTENDEE"]), strings.ToLower(event["ATTENDEE"].params["partstat"]))
	}
	if description := calendarText(event["DESCRIPTION"].value); description != "" {
		lines = append(lines, "", description)
	}
	return strings.Join(lines, "\n")
}

func calendarPerson(l calendarLine) string {
	address := l.value
	if len(address) > 7 && strings.EqualFold(address[:7], "mailto:") {
		address = address[7:]
	}
	if name := text.Line(l.params["cn"]); name != "" && name != address {
		return name + " <" + address + ">"
	}
	return address
}

var calendarEscapes = strings.NewReplacer(`\n`, "\n", `\N`, "\n", `\,`, ",", `\;`, ";", `\\`, `\`)

func calendarText(value string) string { return strings.TrimSpace(calendarEscapes.Replace(value)) }

// period returns when an event is, in the time zone that it says.
func period(start, end calendarLine) string {
	from, zone, day := calendarTime(start)
	if from.IsZero() {
		return start.value
	}
	to, toZone, _ := calendarTime(end)
	const date, clock = "Monday, 2 January 2006", "15:04"
	if day {
		if last := to.AddDate(0, 0, -1); last.After(from) { // the end is the day after
			return from.Format(date) + " to " + last.Format(date)
		}
		return from.Format(date) + ", all day"
	}
	text := from.Format(date + ", " + clock)
	switch {
	case to.IsZero():
	case from.Format(time.DateOnly) == to.Format(time.DateOnly) && zone == toZone:
		text += " to " + to.Format(clock)
	default:
		text += " to " + to.Format(date+", "+clock)
	}
	if zone != "" {
		text += " (" + zone + ")"
	}
	return text
}

// calendarTime returns a time as it is written, the name of its time zone, and whether it is a day.
func calendarTime(l calendarLine) (at time.Time, zone string, day bool) {
	value, utc := strings.CutSuffix(l.value, "Z")
	zone = text.Line(l.params["tzid"])
	if utc {
		zone = "UTC"
	}
	for _, layout := range []string{"20060102T150405", "20060102T1504", "2006-01-02T15:04:05"} {
		if at, err := time.Parse(layout, value); err == nil {
			return at, zone, false
		}
	}
	at, err := time.Parse("20060102", value)
	if err != nil {
		return time.Time{}, "", false
	}
	return at, "", true
}
