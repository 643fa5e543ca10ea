package panel

import (
	"slices"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// badge shows a clock as one word and a bar.
type badge struct {
	Name   string // for screen readers, such as "First response"
	Short  string // as displayed, such as "Reply"
	State  string // calm, soon, urgent, late, paused, met, missed, none
	Text   string
	Title  string // tooltip: a complete sentence
	Due    time.Time
	Runs   bool
	Budget int64 // seconds
	Used   int64 // seconds, at most the budget
}

var clockWords = map[policy.ClockName]struct{ name, short string }{
	policy.FirstResponse: {"First response", "Reply"},
	policy.Resolution:    {"Resolution", "Resolve"},
}

func newBadge(v desk.View, name policy.ClockName, l instantFormatter, now time.Time) badge {
	g := v.Gauge(name, now)
	b := badge{
		Name: clockWords[name].name, Short: clockWords[name].short, Due: g.Due,
		Budget: max(1, int64(g.Budget/time.Second)),
	}
	b.Used = min(b.Budget, int64(g.Used/time.Second))
	switch {
	case !g.MetAt.IsZero() && !g.BreachedAt.IsZero():
		b.State, b.Text, b.Title = "missed", "late", b.Name+" was late: "+l.Words(g.MetAt)
	case !g.MetAt.IsZero():
		b.State, b.Text, b.Title = "met", "met", b.Name+" met: "+l.Words(g.MetAt)
	case g.Settled || g.Budget == 0:
		b.State, b.Text, b.Title = "none", "–", b.Name+" does not apply"
	case len(g.Paused) > 0:
		b.State, b.Text, b.Title = "paused", "paused", b.Name+" is paused: "+pauseReasons(g.Paused)
		if follows := afterEmergency(g.SLAState, l); follows != "" {
			b.Title += ". " + follows
		}
		if !g.BreachedAt.IsZero() {
			b.State, b.Text, b.Title = "late", "overdue", b.Name+" was due "+l.Words(g.BreachedAt)+"; now paused: "+pauseReasons(g.Paused)
		}
	default:
		b.Runs = true
		b.State, b.Text = countdown(g.Due.Sub(now))
		b.Title = b.Name + " due " + l.Words(g.Due)
		if !g.Due.After(now) {
			b.Title = b.Name + " was due " + l.Words(g.Due)
		}
	}
	return b
}

// afterEmergency describes the deadline that follows the emergency if that alone pauses the clock. It is empty
// otherwise, and after a breach.
func afterEmergency(s desk.SLAState, l instantFormatter) string {
	switch {
	case !slices.Equal(s.Paused, []policy.Reason{policy.ReasonEmergency}) || !s.BreachedAt.IsZero():
		return ""
	case s.Expected.IsZero():
		return "A new deadline follows when it ends"
	default:
		return "If it ends as planned, due " + l.Words(s.Expected)
	}
}

// instantFormatter formats an instant in the viewer's zone.
type instantFormatter interface{ Words(time.Time) string }

func pauseReasons(all []policy.Reason) string {
	texts := make([]string, 0, len(all))
	for _, r := range all {
		switch r {
		case policy.ReasonWaiting:
			texts = append(texts, "waiting for the requester")
		case policy.ReasonEmergency:
			texts = append(texts, "emergency")
		default:
			texts = append(texts, string(r))
		}
	}
	return strings.Join(texts, ", ")
}
