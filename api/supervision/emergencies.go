package supervision

import (
	"fmt"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const emergenciesPath = "/supervision/emergencies"

// emergencyFrame is shared by the pages about emergencies.
type emergencyFrame struct {
	frame
}

func newEmergencyFrame(v *page.Visit, title string) emergencyFrame {
	return emergencyFrame{newFrame(v, title, emergenciesPath)}
}

// Stage returns the stage of an emergency in words.
func (f emergencyFrame) Stage(e desk.Emergency) string {
	if e.Stage(f.Now) == desk.StageInForce {
		return "in force"
	}
	return string(e.Stage(f.Now))
}

// Badge returns the CSS class of a stage.
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

// Ahead reports whether an emergency is planned.
func (f emergencyFrame) Ahead(e desk.Emergency) bool { return e.Stage(f.Now) == desk.StagePlanned }

// Lasting reports whether an emergency is in force or planned, so that it can be changed.
func (f emergencyFrame) Lasting(e desk.Emergency) bool {
	return e.Stage(f.Now) == desk.StageInForce || e.Stage(f.Now) == desk.StagePlanned
}

// Kind describes the effect on clocks.
func (emergencyFrame) Kind(e desk.Emergency) string {
	if e.Kind == ticket.EmergencyClosed {
		return "closed: clocks are paused"
	}
	return "delayed: targets are extended by " + formatDuration(e.Delay())
}

// Span formats a duration.
func (emergencyFrame) Span(d time.Duration) string { return formatDuration(d) }

// Seconds formats a number of seconds.
func (emergencyFrame) Seconds(n int64) string { return formatDuration(time.Duration(n) * time.Second) }

// Units returns the units for a delay.
func (emergencyFrame) Units() []string { return []string{"minutes", "hours", "days"} }

// formatDuration formats a duration in days, hours, minutes and seconds without zero units.
func formatDuration(d time.Duration) string {
	if d < 0 {
		return "−" + formatDuration(-d)
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
	All []desk.Emergency
}

// listEmergencies lists all emergencies.
func (p *Pages) listEmergencies(v *page.Visit) error {
	view := emergenciesView{emergencyFrame: newEmergencyFrame(v, "Emergencies")}
	var err error
	if view.All, err = p.emergencies.List(v.Context(), v.Person); err != nil {
		return err
	}
	return v.Show("emergencies", view)
}

type emergencyView struct {
	emergencyFrame
	desk.EmergencyFile
	Fanout  *desk.Fanout // nil: none, or the last transition belongs to another emergency
	Pending bool         // the fan-out of the last transition has not begun
	Form    changeForm
	Errors  map[string]string // by field
	Problem string            // not about a field
}

// emergency shows one emergency with its history and the progress of its fan-out. For htmx it renders the progress
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
	file, err := p.emergencies.File(v.Context(), v.Person, id)
	if err != nil {
		return emergencyView{}, err
	}
	view := emergencyView{emergencyFrame: newEmergencyFrame(v, "Emergency "+string(id)), EmergencyFile: file}
	fanout, begun, err := p.emergencies.Fanout(v.Context())
	if err != nil {
		return emergencyView{}, err
	}
	view.Pending = !begun || fanout.Transition.At.Before(file.Reached(view.Now))
	if !view.Pending && fanout.Transition.Emergency == id {
		view.Fanout = &fanout
	}
	view.Form = changeOf(file.Emergency, v.Zone)
	view.Form.Key = view.IdempotencyKey()
	return view, nil
}

// Reached returns the number of tickets that the fan-out has updated.
func (v emergencyView) Reached() int { return max(0, v.Fanout.Total-v.Fanout.Behind) }

// Unnamed returns the number of late tickets that are not listed.
func (v emergencyView) Unnamed() int { return max(0, v.Fanout.Behind-len(v.Fanout.Late)) }

// Before returns the state before an edit; nil for the first.
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

// emergencyPath returns the path of an emergency's page.
func emergencyPath(id ticket.EmergencyID) string { return emergenciesPath + "/" + string(id) }
