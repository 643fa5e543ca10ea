package policy

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"
)

// WriteCheck writes the output of `supportdesk policy check` for a valid policy: a summary, worked examples from now
// on, and the warnings of Lint. Times are in the policy's zone. It calls w.Write once and ignores its error.
func (p *Policy) WriteCheck(w io.Writer, now time.Time) {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s\n\n", p.Name)
	p.writeSummary(&out)
	fmt.Fprintf(&out, "\nWorked examples, at normal priority, in %s:\n\n", p.Zone)
	p.writeExamples(&out, now)
	if warnings := p.Lint(); len(warnings) == 0 {
		out.WriteString("\nNo warnings.\n")
	} else {
		fmt.Fprintf(&out, "\nWarnings (%d):\n", len(warnings))
		for _, warning := range warnings {
			fmt.Fprintf(&out, "\n- %s\n", strings.ReplaceAll(warning, "\n", "\n  "))
		}
	}
	_, _ = out.WriteTo(w) // the caller can check w
}

func (p *Policy) writeSummary(out io.Writer) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(table, "%s\t%s\n", name, fmt.Sprintf(format, args...))
	}
	row("Time zone", "%s", p.Zone)
	for i := range daysPerWeek {
		wd := time.Weekday((i + 1) % daysPerWeek)
		row(wd.String(), "%s", cmp.Or(strings.Join(p.Calendar.Hours(wd), ", "), "closed"))
	}
	row("Holidays", "%s", p.holidaySummary())
	for _, clock := range ClockNames() {
		row(string(clock), "%s", p.ruleSummary(clock))
	}
	row("Silence", "nudge %s, resolve %s, close %s",
		silenceText(p.Silence.NudgeAfter), silenceText(p.Silence.ResolveAfter), silenceText(p.Silence.CloseAfter))
	for _, step := range p.Escalation {
		row("Escalation", "%s", step.summary())
	}
	for _, rule := range p.Assignment {
		row("Assignment", "%s", rule.summary())
	}
	row("Categories", "%s", strings.Join(p.Categories, ", "))
	row("Contact", "%s", cmp.Or(p.Contact, "none"))
	table.Flush()
}

func (p *Policy) holidaySummary() string {
	holidays := p.Calendar.holidays
	if len(holidays) == 0 {
		return "none"
	}
	return fmt.Sprintf("%d days, from %s to %s", len(holidays),
		holidays[0].Date.Format(time.DateOnly), holidays[len(holidays)-1].Date.Format(time.DateOnly))
}

func (p *Policy) ruleSummary(clock ClockName) string {
	rule := p.Clocks[clock]
	text := FormatDuration(rule.Target) + " of " + string(rule.Counts)
	for _, priority := range Priorities() {
		if target, own := p.Priorities[priority][clock]; own {
			text += fmt.Sprintf(", %s for %s", FormatDuration(target), priority)
		}
	}
	if rule.RemindAt > 0 {
		text += fmt.Sprintf(", reminder at %d%%", rule.RemindAt)
	}
	if len(rule.Pauses) > 0 {
		text += ", pauses while " + joinWords(rule.Pauses)
	}
	return text
}

func (p *Policy) writeExamples(out io.Writer, now time.Time) {
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "\tAccepted\tFirst response by\tResolution by")
	var without []string
	for _, e := range p.Examples(now) {
		if e.At.IsZero() {
			without = append(without, e.Title)
			continue
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", e.Title, p.local(e.At), p.local(e.FirstResponse), p.local(e.Resolution))
	}
	table.Flush()
	for _, title := range without {
		fmt.Fprintln(out, title)
	}
}

func silenceText(d time.Duration) string {
	if d == 0 {
		return "never"
	}
	return "after " + FormatDuration(d)
}

func delayText(d time.Duration) string {
	if d == 0 {
		return "at the breach"
	}
	return FormatDuration(d) + " after the breach"
}
