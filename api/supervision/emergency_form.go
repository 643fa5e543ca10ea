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

// declareForm is a new emergency as typed. Instants are local times in the time zone that the form was shown in, which
// it contains.
type declareForm struct {
	Key, Zone           string
	Kind, Notice        string
	Start, Starts, Ends string // Start: now or at
	Delay, DelayUnit    string
	zone                *time.Location
	Kinds               []choice
}

// choice is an option with its explanation.
type choice struct{ Value, Label, Hint string }

var kinds = []choice{
	{string(ticket.EmergencyClosed), "Closed", "We don't respond. All clocks are paused until it ends, and no target is breached in the meantime."},
	{string(ticket.EmergencyDelayed), "Delayed", "We respond, but it takes longer. The targets of all tickets open during the emergency are extended by the same time."},
}

func readDeclare(form url.Values, zone *time.Location) (declareForm, desk.EmergencyPlan, error) {
	var f input.Fields
	typed := declareForm{
		Key: form.Get("idempotency_key"), Kind: form.Get("kind"), Notice: form.Get("notice"), Start: form.Get("start"), Starts: form.Get("starts_at"),
		Ends: form.Get("ends_at"), Delay: form.Get("delay"), DelayUnit: form.Get("delay_unit"), Kinds: kinds,
	}
	typed.zone = zoneOf(form.Get("zone"), zone)
	typed.Zone = typed.zone.String()
	plan := desk.EmergencyPlan{Kind: ticket.EmergencyKind(typed.Kind), Notice: typed.Notice, Until: parseLocal(&f, "ends_at", typed.Ends, typed.zone)}
	switch {
	case typed.Start != "at":
		typed.Start = "now"
	case typed.Starts == "":
		f.Reject("starts_at", "is required: enter a time, or start now")
	default:
		plan.From = parseLocal(&f, "starts_at", typed.Starts, typed.zone)
	}
	if plan.Kind == ticket.EmergencyDelayed { // otherwise the field is ignored
		plan.By = parseDelay(&f, typed.Delay, typed.DelayUnit)
	}
	return typed, plan, f.Err()
}

// changeForm is a change as typed, with the values that the form was shown with: only fields that were edited are
// changed, so that concurrent changes of different fields don't revert each other.
type changeForm struct {
	Key, Zone         string
	Act               string // change or end
	Notice, WasNotice string
	Starts, WasStarts string
	Ends, WasEnds     string
	Delay, DelayUnit  string
	WasDelay          string // in seconds
}

// changeOf returns the form for an emergency, without changes.
func changeOf(e desk.Emergency, zone *time.Location) changeForm {
	form := changeForm{Zone: zone.String(), Act: "change", Notice: e.Notice, Starts: formatLocal(e.From, zone), Ends: formatLocal(e.Until, zone)}
	form.Delay, form.DelayUnit = formatDelay(e.Delay())
	form.WasNotice, form.WasStarts, form.WasEnds = form.Notice, form.Starts, form.Ends
	form.WasDelay = strconv.FormatInt(int64(e.Delay()/time.Second), 10)
	return form
}

func readChange(form url.Values, zone *time.Location) (changeForm, desk.EmergencyChange, error) {
	var f input.Fields
	typed := changeForm{
		Key: form.Get("idempotency_key"), Act: form.Get("act"), Notice: form.Get("notice"), WasNotice: form.Get("was_notice"),
		Starts: form.Get("starts_at"), WasStarts: form.Get("was_starts_at"), Ends: form.Get("ends_at"), WasEnds: form.Get("was_ends_at"),
		Delay: form.Get("delay"), DelayUnit: form.Get("delay_unit"), WasDelay: form.Get("was_delay"),
	}
	in := zoneOf(form.Get("zone"), zone)
	typed.Zone = in.String()
	var c desk.EmergencyChange
	if typed.Act == "end" {
		return typed, c, nil
	}
	if normalizeNewlines(typed.Notice) != normalizeNewlines(typed.WasNotice) {
		c.Notice = &typed.Notice
	}
	if typed.Starts != typed.WasStarts {
		at := parseLocal(&f, "starts_at", typed.Starts, in)
		c.From = &at
	}
	if typed.Ends != typed.WasEnds {
		at := parseLocal(&f, "ends_at", typed.Ends, in)
		c.Until = &at
	}
	if typed.Delay != "" {
		by := parseDelay(&f, typed.Delay, typed.DelayUnit)
		if strconv.FormatInt(int64(by/time.Second), 10) != typed.WasDelay {
			c.By = &by
		}
	}
	return typed, c, f.Err()
}

// normalizeNewlines converts the line breaks of a browser.
func normalizeNewlines(text string) string {
	return strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n"))
}

// zoneOf returns the time zone that a form was shown in.
func zoneOf(name string, otherwise *time.Location) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil || name == "" || name == "Local" {
		return otherwise
	}
	return zone
}

// The layouts of a local time: browsers omit seconds that are zero.
const (
	toTheMinute = "2006-01-02T15:04"
	toTheSecond = "2006-01-02T15:04:05"
)

// parseLocal parses a local time; zero if empty.
func parseLocal(f *input.Fields, field, typed string, zone *time.Location) time.Time {
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
		f.Reject(field, "must be a date and time such as 2026-11-30T09:00")
	case at.Format(layout) != typed: // it was shifted by an hour
		f.Reject(field, "does not exist on that day: the clocks go forward")
	}
	return at.UTC()
}

func formatLocal(at time.Time, zone *time.Location) string {
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

// parseDelay parses a duration.
func parseDelay(f *input.Fields, typed, unit string) time.Duration {
	length, known := units[unit]
	n, err := strconv.ParseInt(strings.TrimSpace(typed), 10, 32)
	if err != nil || !known || n < 0 || time.Duration(n) > desk.MaxDelay/length {
		f.Reject("delay_seconds", "must be a whole number of minutes, hours or days, at most 366 days")
		return 0
	}
	return time.Duration(n) * length
}

// formatDelay formats a duration in its largest whole unit.
func formatDelay(d time.Duration) (n, unit string) {
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
