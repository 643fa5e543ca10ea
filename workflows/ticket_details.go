package workflows

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// details returns the current details in Markdown: status, assignee, what the ticket is waiting for, its promises, pending
// deliveries, and the outcomes of the last manual commands. Their size is bounded.
func (t *ticketWorkflow) details() string {
	var b strings.Builder
	head, rest := t.facts()
	status := string(t.digest.Status)
	fmt.Fprintf(&b, "**%s**%s\n\n", status, strings.TrimPrefix(head, status))
	for _, f := range rest {
		fmt.Fprintf(&b, "- **%s**: %s\n", f.name, escapeMarkdown(f.text))
	}
	if t.page != "" {
		fmt.Fprintf(&b, "\n[Open %s in Supportdesk](%s)\n", t.number, t.page)
	}
	return b.String()
}

// lines returns the details as lines of plain text.
func (t *ticketWorkflow) lines() []string {
	head, rest := t.facts()
	lines := []string{head}
	for _, f := range rest {
		lines = append(lines, f.name+": "+f.text)
	}
	return lines
}

// fact is a line of the details.
type fact struct{ name, text string }

// facts returns the heading of the details and their lines.
func (t *ticketWorkflow) facts() (head string, rest []fact) {
	d := t.digest
	holder := "unassigned"
	if d.Handle != "" {
		holder = "assigned to " + d.Handle
	}
	head = fmt.Sprintf("%s, priority %s, category %s, %s", d.Status, d.Priority, d.Category, holder)
	if p := d.Parked; p != nil {
		rest = append(rest, fact{"stuck", fmt.Sprintf("due events can't be recorded since %s (%s); next attempt %s",
			instant(p.Since), p.Reason, instant(p.Retry))})
	}
	rest = append(rest, fact{"waiting for", waitingFor(d)})
	if d.Next.Kind != "" {
		rest = append(rest, fact{"next due event", d.Next.Label})
	}
	for _, name := range policy.ClockNames() {
		rest = append(rest, fact{name.Words(), promiseLine(*d.Promise(name))})
	}
	if d.EscalationStep > 0 {
		rest = append(rest, fact{"escalated", fmt.Sprintf("step %d, neither answered nor acknowledged", d.EscalationStep)})
	}
	if lines := emergencyLines(d); len(lines) > 0 {
		rest = append(rest, fact{"emergencies", strings.Join(lines, "; ")})
	}
	if owed := t.deliveries.pending; len(owed) > 0 {
		rest = append(rest, fact{"pending deliveries", deliveriesLine(owed)})
	}
	for _, m := range slices.Backward(t.outcomes) {
		rest = append(rest, fact{"manual", fmt.Sprintf("%s (%s)", m.Outcome, instant(m.At))})
	}
	return head, rest
}

// waitingFor describes what the ticket waits for.
func waitingFor(d ticket.Digest) string {
	switch {
	case d.Closed():
		return "nothing: it is closed"
	case d.InEmergency():
		return "the end of the emergency that pauses its clocks"
	case d.AwaitsDelivery && d.Status == ticket.StatusWaiting:
		return "delivery of the email that asks the requester; their silence counts from then on"
	case d.AwaitsDelivery:
		return "delivery of the email about the resolution; the requester's silence counts from then on"
	case d.Status == ticket.StatusWaiting:
		return "the requester's reply"
	case d.Status == ticket.StatusResolved:
		return "the requester's confirmation or reply, or closure by silence"
	case d.Handle == "":
		return "an agent to take it"
	case d.FirstResponse.MetAt.IsZero():
		return "the first response by " + d.Handle
	default:
		return "the resolution by " + d.Handle
	}
}

// promiseLine describes the state of a promise and summarises its ledger.
func promiseLine(p ticket.PromiseDigest) string {
	var line string
	switch {
	case p.At.IsZero():
		return "not started"
	case !p.MetAt.IsZero():
		line = "met " + instant(p.MetAt)
	case p.Settled:
		line = "no longer applies"
	case !p.Due.IsZero():
		line = "due " + instant(p.Due)
	default:
		line = "paused, " + reasons(p.Reasons)
	}
	if !p.Breached.IsZero() {
		line += ", overdue since " + instant(p.Breached)
	}
	return line + "; " + budgetLine(p)
}

// budgetLine summarises a ledger as of its last entry. What was used since then can be computed only with a calendar.
func budgetLine(p ticket.PromiseDigest) string {
	line := "target " + policy.FormatBudget(p.Counts, p.Target) + " of " + unit(p.Counts)
	if p.Extended != 0 {
		line += ", " + policy.FormatBudget(p.Counts, p.Extended) + " added"
	}
	return line + ", " + policy.FormatBudget(p.Counts, p.Used) + " used by " + instant(p.At)
}

func reasons(all []policy.Reason) string {
	names := make([]string, len(all))
	for i, r := range all {
		names[i] = string(r)
	}
	return strings.Join(names, " and ")
}

func unit(counts policy.CountingMode) string {
	switch counts {
	case policy.CountBusinessHours:
		return "business hours"
	case policy.CountBusinessDays:
		return "business days"
	default:
		return "calendar time"
	}
}

func emergencyLines(d ticket.Digest) []string {
	lines := make([]string, len(d.Emergencies))
	for i, s := range d.Emergencies {
		switch {
		case s.By != 0:
			lines[i] = fmt.Sprintf("%s extended the targets by %s, %s", s.ID, policy.FormatDuration(s.By), instant(s.From))
		case s.Until.IsZero():
			lines[i] = fmt.Sprintf("%s has paused the clocks since %s", s.ID, instant(s.From))
		default:
			lines[i] = fmt.Sprintf("%s paused the clocks from %s to %s", s.ID, instant(s.From), instant(s.Until))
		}
	}
	if d.EarlierEmergencies > 0 {
		lines = append(lines, fmt.Sprintf("%d earlier ones", d.EarlierEmergencies))
	}
	return lines
}

const (
	maxListedDeliveries = 5 // are listed one by one
	maxOutcomes         = 5 // of manual commands are shown
)

// resultSentence returns the result of the workflow of a closed ticket.
func resultSentence(d *ticket.Digest) string {
	by := map[ticket.Cause]string{
		ticket.CauseAgent: "Closed by staff", ticket.CauseRequester: "Closed by the requester",
		ticket.CauseWithdrawn: "Withdrawn by the requester", ticket.CauseSilence: "Closed by silence",
	}[d.Cause]
	if by == "" {
		by = "Closed"
	}
	return fmt.Sprintf("%s. First response %s, resolution %s.", by, promiseResult(d.FirstResponse), promiseResult(d.Resolution))
}

func promiseResult(p ticket.PromiseDigest) string {
	switch {
	case p.MetAt.IsZero() && p.Breached.IsZero():
		return "no longer applies"
	case p.MetAt.IsZero():
		return "overdue since " + instant(p.Breached)
	case p.Breached.IsZero():
		return "on time, " + instant(p.MetAt)
	default:
		return fmt.Sprintf("late, %s instead of %s", instant(p.MetAt), instant(p.Breached))
	}
}

func deliveriesLine(owed []ticket.Owed) string {
	names := make([]string, 0, maxListedDeliveries)
	for _, m := range owed[:min(len(owed), maxListedDeliveries)] {
		names = append(names, fmt.Sprintf("%d %s to %s", m.N, m.Kind, m.Recipient()))
	}
	line := strings.Join(names, ", ")
	if more := len(owed) - len(names); more > 0 {
		line += fmt.Sprintf(" and %d more", more)
	}
	return line
}

// instant formats a time in UTC, since the zone of a worker must not affect a history.
func instant(t time.Time) string { return t.UTC().Format("Mon 2 Jan 2006 15:04:05 UTC") }
