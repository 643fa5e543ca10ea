package workflows

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// details is a small card in Markdown: what is, how far the tickets are, what comes next, and what was refused.
func (w *vigil) details(now time.Time) string {
	var b strings.Builder
	for _, c := range w.outlook.Current {
		fmt.Fprintf(&b, "%s\n\n", currentLine(c, w.outlook.At))
	}
	if len(w.outlook.Current) == 0 {
		b.WriteString("**No emergency** is in force or planned.\n\n")
	}
	if w.fanout.Edge.At.IsZero() {
		b.WriteString("- no ticket was ever told of one\n")
	} else {
		fmt.Fprintf(&b, "- %s\n", w.fanout.line(now))
	}
	if w.fanout.late(now) {
		fmt.Fprintf(&b, "- not right yet: %s\n", w.fanout.lateLine())
	}
	if w.outlook.Until.IsZero() {
		b.WriteString("- next: nothing, until somebody changes it\n")
	} else {
		fmt.Fprintf(&b, "- next: %s\n", w.outlookLine())
	}
	if line := w.herald.line(); line != "" {
		fmt.Fprintf(&b, "- %s\n", line)
	}
	if len(w.hands) > 0 {
		fmt.Fprintf(&b, "- %d signals by hand wait\n", len(w.hands))
	}
	for _, l := range slices.Backward(w.log) {
		if l.Refused != "" {
			fmt.Fprintf(&b, "- `%s` of %s was **refused**: %s\n", plain(l.Signal), instant(l.At), plain(l.Refused))
		} else {
			fmt.Fprintf(&b, "- `%s` of %s: %s\n", plain(l.Signal), instant(l.At), plain(l.Done))
		}
	}
	if w.page != "" {
		fmt.Fprintf(&b, "\n[Emergencies](%s)\n", w.page)
	}
	return b.String()
}

// line tells how far a fan-out is.
func (f Fanout) line(now time.Time) string {
	switch {
	case !f.Proven.IsZero() && f.Total == 0:
		return fmt.Sprintf("%s: every open ticket knows (%d)", edgeLine(f.Edge), f.Proof.Open)
	case !f.Proven.IsZero():
		return fmt.Sprintf("%s: every open ticket knows; %d were told in %s%s", edgeLine(f.Edge), f.Total,
			f.Proven.Sub(f.Began).Round(time.Second), perSecond(f.Total, f.Proven.Sub(f.Began)))
	case f.Round == 0:
		return edgeLine(f.Edge) + ": looking who is to be told"
	case f.Round == 1:
		return fmt.Sprintf("%s: %d of %d told%s", edgeLine(f.Edge), min(f.Told, f.Total), f.Total, perSecond(f.Told, now.Sub(f.Began)))
	}
	line := fmt.Sprintf("%s: all %d told, **%d unproven**, round %d", edgeLine(f.Edge), f.Total, f.Proof.Left(), f.Round)
	if f.Proof.Wrong > 0 {
		line += fmt.Sprintf("; %d of them hold what the gate does not say: somebody must look at these", f.Proof.Wrong)
	}
	return line
}

// lateLine names tickets that hold up a fan-out.
func (f Fanout) lateLine() string {
	names := make([]string, 0, len(f.Proof.Late))
	for _, n := range f.Proof.Late {
		names = append(names, string(n))
	}
	line := strings.Join(names, ", ")
	if more := f.Proof.Left() - len(names); more > 0 {
		line += fmt.Sprintf(" and %d more", more)
	}
	return line + "; their requesters are written to once they are"
}

// againLine is what a fan-out pauses for.
func (f Fanout) againLine() string {
	if f.Proof.Left() == 0 {
		return "look again who is to be told"
	}
	return fmt.Sprintf("tell %d tickets again", f.Proof.Left())
}

func perSecond(n int, took time.Duration) string {
	if n == 0 || took < time.Second {
		return ""
	}
	return fmt.Sprintf(", %.0f a second", float64(n)/took.Seconds())
}

func currentLine(c ticket.Current, at time.Time) string {
	stage, until := "in force since", "until it is lifted"
	if c.From.After(at) {
		stage = "planned from"
	}
	if !c.Until.IsZero() {
		until = "until " + instant(c.Until)
	}
	line := fmt.Sprintf("**%s** %s %s, %s (%s)", c.Kind, stage, instant(c.From), until, c.ID)
	if c.Kind == ticket.EmergencyDelayed {
		line += fmt.Sprintf(", targets %s longer", c.By)
	}
	return line
}

// outlookLine is what ends the outlook: an edge, or the end of a delay, which moves no ticket.
func (w *vigil) outlookLine() string {
	if w.outlook.Next.At.Equal(w.outlook.Until) {
		return edgeLine(w.outlook.Next)
	}
	return "a delay begins or ends " + instant(w.outlook.Until)
}

func edgeLine(e ticket.Edge) string {
	return fmt.Sprintf("%s %s, %s", e.Verb, instant(e.At), e.Emergency)
}

// plain keeps what came from outside from being read as Markdown.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune("`*_[]<>#|\\\n\r", r) {
			return ' '
		}
		return r
	}, text)
}
