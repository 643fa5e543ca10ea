package supervision

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const emergenciesPath = "/supervision/emergencies"

// emergencyFrame is what the pages about emergencies share: words for what they show.
type emergencyFrame struct {
	frame
}

func newEmergencyFrame(v *page.Visit, title string) emergencyFrame {
	return emergencyFrame{newFrame(v, title, emergenciesPath)}
}

// Stage is how far an emergency has come, in words.
func (f emergencyFrame) Stage(e desk.Emergency) string {
	if e.Stage(f.Now) == desk.StageInForce {
		return "in force"
	}
	return string(e.Stage(f.Now))
}

// Badge is the colour of its stage.
func (f emergencyFrame) Badge(e desk.Emergency) string {
	switch e.Stage(f.Now) {
	case desk.StageInForce:
		return "badge-bad"
	case desk.StagePlanned:
		return "badge-warn"
	default:
		return ""
	}
}

// Ahead reports whether it has not begun, and will.
func (f emergencyFrame) Ahead(e desk.Emergency) bool { return e.Stage(f.Now) == desk.StagePlanned }

// Lasting reports whether it is in force or planned, so that something can be done about it.
func (f emergencyFrame) Lasting(e desk.Emergency) bool {
	return e.Stage(f.Now) == desk.StageInForce || e.Stage(f.Now) == desk.StagePlanned
}

// Kind says what it does to promises.
func (emergencyFrame) Kind(e desk.Emergency) string {
	if e.Kind == ticket.EmergencyClosed {
		return "closed: clocks stand still"
	}
	return "delayed: targets are " + lasting(e.Delay()) + " longer"
}

// Span is a length of time in words.
func (emergencyFrame) Span(d time.Duration) string { return lasting(d) }

// Seconds is a length of time in words.
func (emergencyFrame) Seconds(n int64) string { return lasting(time.Duration(n) * time.Second) }

// Units are what a delay is typed in.
func (emergencyFrame) Units() []string { return []string{"minutes", "hours", "days"} }

// Clock names a promise.
func (emergencyFrame) Clock(c desk.ClockShift) string { return clockName(c.Clock) }

// Promise names a promise that moves.
func (emergencyFrame) Promise(s desk.Shift) string { return clockName(s.Clock) }

// lasting is a length in days, hours, minutes and seconds, leaving out what there is none of.
func lasting(d time.Duration) string {
	if d < 0 {
		return "−" + lasting(-d)
	}
	var parts []string
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "min"}, {time.Second, "s"}} {
		if n := d / unit.length; n > 0 {
			parts = append(parts, fmt.Sprintf("%d\u00a0%s", n, unit.name))
			d -= n * unit.length
		}
	}
	if len(parts) == 0 {
		return "0\u00a0s"
	}
	return strings.Join(parts, " ")
}

type emergenciesView struct {
	emergencyFrame
	All    []desk.Emergency
	Fanout *desk.Fanout // nil: nothing ever began
}

// listEmergencies lists them all.
func (p *Pages) listEmergencies(v *page.Visit) error {
	view := emergenciesView{emergencyFrame: newEmergencyFrame(v, "Emergencies")}
	var err error
	if view.All, err = p.command.List(v.Context(), v.Person); err != nil {
		return err
	}
	if view.Fanout, err = p.fanout(v.Context()); err != nil {
		return err
	}
	return v.Show("emergencies", view)
}

func (p *Pages) fanout(ctx context.Context) (*desk.Fanout, error) {
	f, any, err := p.command.Fanout(ctx)
	if err != nil || !any {
		return nil, err
	}
	return &f, nil
}

type emergencyView struct {
	emergencyFrame
	desk.EmergencyFile
	Fanout  *desk.Fanout // nil: the last edge that tickets are told of is another emergency's, or there was none
	Untold  bool         // tickets are not being told yet of what has happened last
	Form    changeForm
	Errors  map[string]string // by field
	Problem string            // that is no field's
}

// emergency shows one, with everything that was done to it and how far it has reached. A script asks for the progress
// alone.
func (p *Pages) emergency(v *page.Visit) error {
	id, err := emergencyID(v)
	if err != nil {
		return err
	}
	view, err := p.emergencyView(v, id)
	if err != nil {
		return err
	}
	if v.Partial() {
		return v.Fragment("emergency", "reach", view)
	}
	return v.Show("emergency", view)
}

func (p *Pages) emergencyView(v *page.Visit, id ticket.EmergencyID) (emergencyView, error) {
	file, err := p.command.File(v.Context(), v.Person, id)
	if err != nil {
		return emergencyView{}, err
	}
	view := emergencyView{emergencyFrame: newEmergencyFrame(v, "Emergency "+string(id)), EmergencyFile: file}
	if view.Fanout, err = p.fanout(v.Context()); err != nil {
		return emergencyView{}, err
	}
	view.Untold = view.Fanout == nil || view.Fanout.Edge.At.Before(file.Reached(view.Now))
	if view.Untold || view.Fanout.Edge.Emergency != id {
		view.Fanout = nil
	}
	view.Form = changeOf(file.Emergency, v.Zone)
	view.Form.Key = view.Once()
	return view, nil
}

// Reached is how many of the tickets that had to be told show it.
func (v emergencyView) Reached() int { return max(0, v.Fanout.Total-v.Fanout.Behind) }

// Unnamed is how many tickets hold it up beside those that are named.
func (v emergencyView) Unnamed() int { return max(0, v.Fanout.Behind-len(v.Fanout.Late)) }

// Before is what the record said before an edit; nil for the first.
func (v emergencyView) Before(i int) *desk.EmergencyState {
	if i == 0 {
		return nil
	}
	return &v.Edits[i-1].After
}

func emergencyID(v *page.Visit) (ticket.EmergencyID, error) {
	id := ticket.EmergencyID(v.Param("id"))
	if !id.Valid() {
		return "", fault.New(fault.NotFound, "there is no such emergency")
	}
	return id, nil
}

// emergencyPath is the page of one.
func emergencyPath(id ticket.EmergencyID) string { return emergenciesPath + "/" + string(id) }
