package desk_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// next is the whole second after now.
var next = time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC)

func in(d time.Duration) time.Time { return next.Add(d) }

func closing() desk.EmergencyPlan {
	return desk.EmergencyPlan{Kind: ticket.EmergencyClosed, Notice: "Closed by a flood."}
}

func delaying() desk.EmergencyPlan {
	return desk.EmergencyPlan{Kind: ticket.EmergencyDelayed, Notice: "Half of us are ill.", By: 24 * time.Hour}
}

// fields returns the field names of an Invalid fault, or the code of another one.
func fields(err error) string {
	var f *fault.Error
	if !errors.As(err, &f) {
		return ""
	}
	names := []string{f.Code}
	for _, d := range f.Details {
		names = append(names, d.Field)
	}
	return strings.Trim(strings.Join(names, " "), " ")
}

func TestDeclared_namesInvalidFields(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*desk.EmergencyPlan)
		want   string
	}{
		"as it is":              {func(*desk.EmergencyPlan) {}, ""},
		"no kind":               {func(p *desk.EmergencyPlan) { p.Kind = "" }, "kind"},
		"another kind":          {func(p *desk.EmergencyPlan) { p.Kind = "Closed" }, "kind"},
		"no notice":             {func(p *desk.EmergencyPlan) { p.Notice = " \n\t" }, "notice"},
		"the longest notice":    {func(p *desk.EmergencyPlan) { p.Notice = strings.Repeat("é", 1000) + "\n" }, ""},
		"a longer notice":       {func(p *desk.EmergencyPlan) { p.Notice = strings.Repeat("é", 1001) }, "notice"},
		"lines":                 {func(p *desk.EmergencyPlan) { p.Notice = "one\r\ntwo" }, ""},
		"a bell":                {func(p *desk.EmergencyPlan) { p.Notice = "ding\a" }, "notice"},
		"NUL":                   {func(p *desk.EmergencyPlan) { p.Notice = "a\x00b" }, "notice"},
		"a carriage return":     {func(p *desk.EmergencyPlan) { p.Notice = "a\rb" }, "notice"},
		"reordered":             {func(p *desk.EmergencyPlan) { p.Notice = "a\u202eb" }, "notice"},
		"no UTF-8":              {func(p *desk.EmergencyPlan) { p.Notice = "a\xffb" }, "notice"},
		"from next":             {func(p *desk.EmergencyPlan) { p.From = next }, ""},
		"from a second before":  {func(p *desk.EmergencyPlan) { p.From = in(-time.Second) }, "starts_at"},
		"from half a second":    {func(p *desk.EmergencyPlan) { p.From = in(1500 * time.Millisecond) }, "starts_at"},
		"from the year 9999":    {func(p *desk.EmergencyPlan) { p.From = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC) }, "starts_at"},
		"from the year 292e9":   {func(p *desk.EmergencyPlan) { p.From = time.Unix(1<<62, 0) }, "starts_at"},
		"until the year 9999":   {func(p *desk.EmergencyPlan) { p.Until = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC) }, "ends_at"},
		"until in a year":       {func(p *desk.EmergencyPlan) { p.Until = in(366 * 24 * time.Hour) }, ""},
		"until its beginning":   {func(p *desk.EmergencyPlan) { p.Until = next }, "ends_at"},
		"until a second later":  {func(p *desk.EmergencyPlan) { p.Until = in(time.Second) }, ""},
		"until before it":       {func(p *desk.EmergencyPlan) { p.From, p.Until = in(time.Hour), in(time.Minute) }, "ends_at"},
		"until long ago":        {func(p *desk.EmergencyPlan) { p.Until = in(-time.Hour) }, "ends_at"},
		"closed with a delay":   {func(p *desk.EmergencyPlan) { p.By = time.Hour }, "delay_seconds"},
		"delayed without":       {func(p *desk.EmergencyPlan) { p.Kind = ticket.EmergencyDelayed }, "delay_seconds"},
		"delayed by less":       {func(p *desk.EmergencyPlan) { p.Kind, p.By = ticket.EmergencyDelayed, -time.Second }, "delay_seconds"},
		"delayed by a second":   {func(p *desk.EmergencyPlan) { p.Kind, p.By = ticket.EmergencyDelayed, time.Second }, ""},
		"delayed by a fraction": {func(p *desk.EmergencyPlan) { p.Kind, p.By = ticket.EmergencyDelayed, time.Second+1 }, "delay_seconds"},
		"delayed by for ever":   {func(p *desk.EmergencyPlan) { p.Kind, p.By = ticket.EmergencyDelayed, 1<<62 }, "delay_seconds"},
		"everything":            {func(p *desk.EmergencyPlan) { *p = desk.EmergencyPlan{From: in(-1), Until: in(-1), By: 1} }, "kind notice starts_at ends_at delay_seconds"},
	} {
		p := closing()
		c.change(&p)
		if _, err := p.Declared("E-0000000000", desk.Ref{}, next); fields(err) != c.want {
			t.Errorf("%s: %q, want %q", name, fields(err), c.want)
		}
	}
}

// declared returns an emergency for a test to change.
func declared(t *testing.T, p desk.EmergencyPlan) desk.Emergency {
	t.Helper()
	e, err := p.Declared("E-0000000000", desk.Ref{}, next)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestDeclared_nowIsTheNextSecond(t *testing.T) {
	p := delaying()
	p.Until = in(time.Hour).In(time.FixedZone("", 3600))
	e := declared(t, p)
	if !e.From.Equal(next) || e.Until.Location() != time.UTC || e.Delays[0] != (ticket.Delay{From: next, By: 24 * time.Hour}) {
		t.Errorf("got %+v", e)
	}
	if e.Stage(in(-1)) != desk.StagePlanned || e.Stage(next) != desk.StageInForce || e.Stage(in(time.Hour)) != desk.StageOver {
		t.Error("its stages don't follow")
	}
}

// TestChanged_neverChangesThePast changes an emergency that lasts an hour before, during and after it.
func TestChanged_neverChangesThePast(t *testing.T) {
	at := func(d time.Duration) *time.Time { i := in(d); return &i }
	by := func(d time.Duration) *time.Duration { return &d }
	text := func(s string) *string { return &s }
	var never time.Time
	for name, c := range map[string]struct {
		after  time.Duration // the instant of the change
		change desk.EmergencyChange
		want   string
	}{
		"moved while ahead":               {0, desk.EmergencyChange{From: at(2 * time.Hour), Until: at(3 * time.Hour)}, ""},
		"moved to now":                    {0, desk.EmergencyChange{From: &never}, ""},
		"moved to the past":               {0, desk.EmergencyChange{From: at(-time.Second)}, "starts_at"},
		"moved beyond its end":            {0, desk.EmergencyChange{From: at(2 * time.Hour)}, "ends_at"},
		"moved in the second it begins":   {time.Hour, desk.EmergencyChange{From: at(time.Hour + time.Minute)}, ""},
		"moved when it has begun":         {time.Hour + time.Second, desk.EmergencyChange{From: at(time.Hour + time.Minute)}, "emergency-begun"},
		"began where it began":            {time.Hour + time.Second, desk.EmergencyChange{From: at(time.Hour)}, ""},
		"extended":                        {90 * time.Minute, desk.EmergencyChange{Until: at(5 * time.Hour)}, ""},
		"without an end":                  {90 * time.Minute, desk.EmergencyChange{Until: &never}, ""},
		"shortened to this instant":       {90 * time.Minute, desk.EmergencyChange{Until: at(90 * time.Minute)}, ""},
		"shortened to the past":           {90 * time.Minute, desk.EmergencyChange{Until: at(90*time.Minute - time.Second)}, "ends_at"},
		"extended in the second it ends":  {2 * time.Hour, desk.EmergencyChange{Until: at(5 * time.Hour)}, ""},
		"extended when over":              {2*time.Hour + time.Second, desk.EmergencyChange{Until: at(5 * time.Hour)}, "emergency-over"},
		"another notice when over":        {2*time.Hour + time.Second, desk.EmergencyChange{Notice: text("x")}, "emergency-over"},
		"no notice":                       {0, desk.EmergencyChange{Notice: text("")}, "notice"},
		"delayed by nothing, ahead":       {0, desk.EmergencyChange{By: by(0)}, "delay_seconds"},
		"delayed by nothing, in force":    {90 * time.Minute, desk.EmergencyChange{By: by(0)}, ""},
		"delayed by less than nothing":    {90 * time.Minute, desk.EmergencyChange{By: by(-time.Hour)}, "delay_seconds"},
		"several things wrong at a time":  {0, desk.EmergencyChange{Notice: text("\x00"), By: by(1), Until: at(-1)}, "notice ends_at delay_seconds"},
		"nothing":                         {90 * time.Minute, desk.EmergencyChange{}, ""},
		"a wrong end and a moved begin":   {0, desk.EmergencyChange{From: at(time.Minute), Until: at(time.Minute)}, "ends_at"},
		"an end beyond what can be meant": {0, desk.EmergencyChange{Until: at(9000 * time.Hour)}, "ends_at"},
	} {
		p := delaying()
		p.From, p.Until = in(time.Hour), in(2*time.Hour)
		before := declared(t, p)
		after, err := before.Changed(c.change, in(c.after))
		if fields(err) != c.want {
			t.Errorf("%s: %q, want %q", name, fields(err), c.want)
		}
		if err != nil {
			continue
		}
		for d := time.Duration(0); d < c.after; d += time.Minute { // the past is unchanged
			if before.ActiveAt(in(d)) != after.ActiveAt(in(d)) || delayAt(before, in(d)) != delayAt(after, in(d)) {
				t.Errorf("%s: changes what was at %s", name, in(d))
			}
		}
	}
	if _, err := declared(t, closing()).Changed(desk.EmergencyChange{By: by(time.Hour)}, next); fields(err) != "delay_seconds" {
		t.Errorf("a closed desk was delayed: %v", err)
	}
}

func delayAt(e desk.Emergency, at time.Time) (by time.Duration) {
	for _, d := range e.Delays {
		if !d.From.After(at) {
			by = d.By
		}
	}
	return by
}

func TestChanged_delayAppliesFromTheChange(t *testing.T) {
	hours := func(h int) *time.Duration { d := time.Duration(h) * time.Hour; return &d }
	e := declared(t, delaying())
	e, _ = e.Changed(desk.EmergencyChange{By: hours(24)}, in(time.Minute)) // unchanged
	e, _ = e.Changed(desk.EmergencyChange{By: hours(48)}, in(time.Hour))
	e, _ = e.Changed(desk.EmergencyChange{By: hours(12)}, in(time.Hour)) // replaces the delay of the same second
	e, err := e.Changed(desk.EmergencyChange{By: hours(0)}, in(2*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	want := []ticket.Delay{{From: next, By: 24 * time.Hour}, {From: in(time.Hour), By: 12 * time.Hour}, {From: in(2 * time.Hour)}}
	if !e.Same(desk.Emergency{Emergency: ticket.Emergency{From: next, Delays: want}, Notice: e.Notice}) {
		t.Errorf("got %v, want %v", e.Delays, want)
	}
	if lifted, err := e.Ended(in(2 * time.Hour)); err != nil || len(lifted.Delays) != 2 {
		t.Errorf("a delay that begins at the end stays: %v, %v", lifted.Delays, err)
	}
	p := delaying()
	p.From = in(time.Hour)
	begin := in(2 * time.Hour)
	if moved, err := declared(t, p).Changed(desk.EmergencyChange{From: &begin, By: hours(1)}, next); err != nil ||
		len(moved.Delays) != 1 || !moved.Delays[0].From.Equal(begin) || moved.Delay() != time.Hour {
		t.Errorf("while it is planned, the delay begins with it: %v, %v", moved.Delays, err)
	}
}

func TestEnded_liftsOrCancels(t *testing.T) {
	p := closing()
	p.From, p.Until = in(time.Hour), in(2*time.Hour)
	e := declared(t, p)
	if c, err := e.Ended(in(time.Hour)); err != nil || c.Stage(in(time.Hour)) != desk.StageCancelled || !c.Until.Equal(e.Until) {
		t.Errorf("before it has begun: %+v, %v", c, err)
	} else if _, err := c.Ended(in(time.Hour)); fields(err) != desk.CodeEmergencyOver {
		t.Errorf("cancelled twice: %v", err)
	}
	lifted, err := e.Ended(in(time.Hour + time.Second))
	if err != nil || !lifted.Until.Equal(in(time.Hour+time.Second)) || !lifted.Cancelled.IsZero() {
		t.Errorf("in force: %+v, %v", lifted, err)
	}
	if again, err := lifted.Ended(in(time.Hour + time.Second)); err != nil || !again.Same(lifted) {
		t.Errorf("lifted twice in one second: %v", err)
	}
	if _, err := lifted.Ended(in(time.Hour + 2*time.Second)); fields(err) != desk.CodeEmergencyOver {
		t.Errorf("lifted when over: %v", err)
	}
}
