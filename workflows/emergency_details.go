package workflows

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// details returns the current details in Markdown: the emergencies in force, the progress of the fan-out, the next
// transition, and the outcomes of the last manual commands.
func (w *emergencyWorkflow) details(now time.Time) string {
	var b strings.Builder
	for _, c := range w.schedule.Current {
		fmt.Fprintf(&b, "%s\n\n", emergencyLine(c, w.schedule.At))
	}
	if len(w.schedule.Current) == 0 {
		b.WriteString("**No emergency** is in force or planned.\n\n")
	}
	if w.fanout.Transition.At.IsZero() {
		b.WriteString("- no transition yet\n")
	} else {
		fmt.Fprintf(&b, "- %s\n", w.fanout.line(now))
	}
	if w.fanout.late(now) {
		fmt.Fprintf(&b, "- not up to date: %s\n", w.fanout.lateLine())
	}
	if w.schedule.Until.IsZero() {
		b.WriteString("- next: nothing planned\n")
	} else {
		fmt.Fprintf(&b, "- next: %s\n", w.scheduleLine())
	}
	if line := w.announcer.line(); line != "" {
		fmt.Fprintf(&b, "- %s\n", line)
	}
	if len(w.manual) > 0 {
		fmt.Fprintf(&b, "- %d manual commands waiting\n", len(w.manual))
	}
	for _, l := range slices.Backward(w.outcomes) {
		if l.Refused != "" {
			fmt.Fprintf(&b, "- `%s` of %s was **refused**: %s\n", escapeMarkdown(l.Command), instant(l.At), escapeMarkdown(l.Refused))
		} else {
			fmt.Fprintf(&b, "- `%s` of %s: %s\n", escapeMarkdown(l.Command), instant(l.At), escapeMarkdown(l.Done))
		}
	}
	if w.page != "" {
		fmt.Fprintf(&b, "\n[Emergencies](%s)\n", w.page)
	}
	return b.String()
}

// line describes the progress of the fan-out.
func (f Fanout) line(now time.Time) string {
	switch {
	case !f.DoneAt.IsZero() && f.Total == 0:
		return fmt.Sprintf("%s: all %d open tickets are up to date", transitionLine(f.Transition), f.Check.Open)
	case !f.DoneAt.IsZero():
		return fmt.Sprintf("%s: every open ticket is up to date; %d were notified in %s%s", transitionLine(f.Transition), f.Total,
			f.DoneAt.Sub(f.Began).Round(time.Second), perSecond(f.Total, f.DoneAt.Sub(f.Began)))
	case f.Round == 0:
		return transitionLine(f.Transition) + ": checking which tickets are behind"
	case f.Round == 1:
		return fmt.Sprintf("%s: %d of %d notified%s", transitionLine(f.Transition), min(f.Notified, f.Total), f.Total, perSecond(f.Notified, now.Sub(f.Began)))
	}
	line := fmt.Sprintf("%s: all %d notified, **%d behind**, round %d", transitionLine(f.Transition), f.Total, f.Check.Left(), f.Round)
	if f.Check.Wrong > 0 {
		line += fmt.Sprintf("; %d of them disagree with the schedule, which is a defect", f.Check.Wrong)
	}
	return line
}

// lateLine lists tickets that delay the fan-out.
func (f Fanout) lateLine() string {
	names := make([]string, 0, len(f.Check.Late))
	for _, n := range f.Check.Late {
		names = append(names, string(n))
	}
	line := strings.Join(names, ", ")
	if more := f.Check.Left() - len(names); more > 0 {
		line += fmt.Sprintf(" and %d more", more)
	}
	return line + "; their requesters are notified once they are"
}

// retryLine describes the next round.
func (f Fanout) retryLine() string {
	if f.Check.Left() == 0 {
		return "check again which tickets are behind"
	}
	return fmt.Sprintf("notify %d tickets again", f.Check.Left())
}

func perSecond(n int, took time.Duration) string {
	if n == 0 || took < time.Second {
		return ""
	}
	return fmt.Sprintf(", %.0f a second", float64(n)/took.Seconds())
}

func emergencyLine(c ticket.ActiveEmergency, at time.Time) string {
	stage, until := "in force since", "until lifted"
	if c.From.After(at) {
		stage = "planned from"
	}
	if !c.Until.IsZero() {
		until = "until " + instant(c.Until)
	}
	line := fmt.Sprintf("**%s** %s %s, %s (%s)", c.Kind, stage, instant(c.From), until, c.ID)
	if c.Kind == ticket.EmergencyDelayed {
		line += fmt.Sprintf(", targets extended by %s", c.By)
	}
	return line
}

// scheduleLine describes the next change of the outlook: a transition, or an instant that changes no ticket.
func (w *emergencyWorkflow) scheduleLine() string {
	if w.schedule.Next.At.Equal(w.schedule.Until) {
		return transitionLine(w.schedule.Next)
	}
	return "a delay begins or ends " + instant(w.schedule.Until)
}

func transitionLine(e ticket.Transition) string {
	return fmt.Sprintf("%s %s, %s", e.Verb, instant(e.At), e.Emergency)
}

// escapeMarkdown replaces the characters that have a meaning in Markdown by spaces.
func escapeMarkdown(text string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("`*_[]<>#|\\\n\r", r) {
			return ' '
		}
		return r
	}, text)
}
