package supervision

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// declareForm is an emergency as it was typed. Instants are local times of the zone that the form was shown in, which it
// brings along.
type declareForm struct {
	Key, Zone           string
	Kind, Notice        string
	Start, Starts, Ends string // Start: now or at
	Delay, DelayUnit    string
	zone                *time.Location
	Kinds               []choice
}

// choice is one of several, with what it means.
type choice struct{ Value, Label, Hint string }

var kinds = []choice{
	{string(ticket.EmergencyClosed), "Closed", "Nobody answers. Every clock stands still until it is over, and no promise is broken meanwhile."},
	{string(ticket.EmergencyDelayed), "Delayed", "We answer, and it takes longer. The targets of every ticket that is open in it become longer by the same time."},
}

func readDeclare(form url.Values, zone *time.Location) (declareForm, desk.EmergencyPlan, error) {
	var f input.Fields
	typed := declareForm{
		Key: form.Get("once"), Kind: form.Get("kind"), Notice: form.Get("notice"), Start: form.Get("start"), Starts: form.Get("starts_at"),
		Ends: form.Get("ends_at"), Delay: form.Get("delay"), DelayUnit: form.Get("delay_unit"), Kinds: kinds,
	}
	typed.zone = zoneOf(form.Get("zone"), zone)
	typed.Zone = typed.zone.String()
	plan := desk.EmergencyPlan{Kind: ticket.EmergencyKind(typed.Kind), Notice: typed.Notice, Until: local(&f, "ends_at", typed.Ends, typed.zone)}
	switch {
	case typed.Start != "at":
		typed.Start = "now"
	case typed.Starts == "":
		f.Reject("starts_at", "is missing: say when, or start now")
	default:
		plan.From = local(&f, "starts_at", typed.Starts, typed.zone)
	}
	if plan.Kind == ticket.EmergencyDelayed { // else what the form also holds means nothing
		plan.By = delay(&f, typed.Delay, typed.DelayUnit)
	}
	return typed, plan, f.Err()
}

// changeForm is a change as it was typed, with what the form was shown with: only what somebody touched is changed, so
// that two who change different things don't undo each other.
type changeForm struct {
	Key, Zone         string
	Act               string // change or end
	Notice, WasNotice string
	Starts, WasStarts string
	Ends, WasEnds     string
	Delay, DelayUnit  string
	WasDelay          string // seconds
}

// changeOf is the form that changes nothing.
func changeOf(e desk.Emergency, zone *time.Location) changeForm {
	form := changeForm{Zone: zone.String(), Act: "change", Notice: e.Notice, Starts: typedAt(e.From, zone), Ends: typedAt(e.Until, zone)}
	form.Delay, form.DelayUnit = typedDelay(e.Delay())
	form.WasNotice, form.WasStarts, form.WasEnds = form.Notice, form.Starts, form.Ends
	form.WasDelay = strconv.FormatInt(int64(e.Delay()/time.Second), 10)
	return form
}

func readChange(form url.Values, zone *time.Location) (changeForm, desk.EmergencyChange, error) {
	var f input.Fields
	typed := changeForm{
		Key: form.Get("once"), Act: form.Get("act"), Notice: form.Get("notice"), WasNotice: form.Get("was_notice"),
		Starts: form.Get("starts_at"), WasStarts: form.Get("was_starts_at"), Ends: form.Get("ends_at"), WasEnds: form.Get("was_ends_at"),
		Delay: form.Get("delay"), DelayUnit: form.Get("delay_unit"), WasDelay: form.Get("was_delay"),
	}
	in := zoneOf(form.Get("zone"), zone)
	typed.Zone = in.String()
	var c desk.EmergencyChange
	if typed.Act == "end" {
		return typed, c, nil
	}
	if lines(typed.Notice) != lines(typed.WasNotice) {
		c.Notice = &typed.Notice
	}
	if typed.Starts != typed.WasStarts {
		at := local(&f, "starts_at", typed.Starts, in)
		c.From = &at
	}
	if typed.Ends != typed.WasEnds {
		at := local(&f, "ends_at", typed.Ends, in)
		c.Until = &at
	}
	if typed.Delay != "" {
		by := delay(&f, typed.Delay, typed.DelayUnit)
		if strconv.FormatInt(int64(by/time.Second), 10) != typed.WasDelay {
			c.By = &by
		}
	}
	return typed, c, f.Err()
}

// lines undoes what a browser does to line breaks.
func lines(text string) string { return strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")) }

// zoneOf is the zone that a form was shown in.
func zoneOf(name string, otherwise *time.Location) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return otherwise
	}
	return zone
}

// The forms of a local time: browsers leave out seconds that are zero.
const (
	toTheMinute = "2006-01-02T15:04"
	toTheSecond = "2006-01-02T15:04:05"
)

// local reads a local time; zero when nothing was typed.
func local(f *input.Fields, field, typed string, zone *time.Location) time.Time {
	if typed == "" {
		return time.Time{}
	}
	layout := toTheMinute
	if len(typed) > len(toTheMinute) {
		layout = toTheSecond
	}
	at, err := time.ParseInLocation(layout, typed, zone)
	switch {
	case err != nil:
		f.Reject(field, "must be a day and a time such as 2026-11-30T09:00")
	case at.Format(layout) != typed: // it would become another one, an hour off
		f.Reject(field, "does not exist there on that day: clocks are put forward over it")
	}
	return at.UTC()
}

func typedAt(at time.Time, zone *time.Location) string {
	switch {
	case at.IsZero():
		return ""
	case at.Second() != 0:
		return at.In(zone).Format(toTheSecond)
	default:
		return at.In(zone).Format(toTheMinute)
	}
}

var units = map[string]time.Duration{"minutes": time.Minute, "hours": time.Hour, "days": 24 * time.Hour, "seconds": time.Second}

// delay reads a length of time.
func delay(f *input.Fields, typed, unit string) time.Duration {
	length, known := units[unit]
	n, err := strconv.ParseInt(strings.TrimSpace(typed), 10, 32)
	if err != nil || !known || n < 0 || time.Duration(n) > desk.MaxDelay/length {
		f.Reject("delay_seconds", "must be a whole number of minutes, hours or days, 366 days at most")
		return 0
	}
	return time.Duration(n) * length
}

// typedDelay writes a length in its largest whole unit.
func typedDelay(d time.Duration) (n, unit string) {
	unit, length := "seconds", time.Second
	for _, u := range []string{"minutes", "hours", "days"} {
		if d%units[u] == 0 {
			unit, length = u, units[u]
		}
	}
	if d == 0 {
		return "0", "hours"
	}
	return strconv.FormatInt(int64(d/length), 10), unit
}
