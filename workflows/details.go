package workflows

import (
	"fmt"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// details is a small card in Markdown: what is, who has it, what it waits for, what was promised, what is owed.
func details(s ticket.State, owed []ticket.Owed) string {
	var b strings.Builder
	head, rest := facts(s, owed)
	fmt.Fprintf(&b, "**%s**%s\n\n", s.Ticket.Status, strings.TrimPrefix(head, string(s.Ticket.Status)))
	for _, f := range rest {
		fmt.Fprintf(&b, "- **%s**: %s\n", f.name, plain(f.says))
	}
	return b.String()
}

// told is the same as plain lines, with every line of the ledgers.
func told(s ticket.State, owed []ticket.Owed) []string {
	head, rest := facts(s, owed)
	lines := []string{head}
	for _, f := range rest {
		lines = append(lines, f.name+": "+f.says)
	}
	for _, name := range policy.ClockNames() {
		for _, line := range s.Ticket.Promise(name).Clock.Recount() {
			lines = append(lines, "ledger of the "+spoken(name)+", "+line)
		}
	}
	return lines
}

// fact is a line of the card.
type fact struct{ name, says string }

func facts(s ticket.State, owed []ticket.Owed) (head string, rest []fact) {
	t := &s.Ticket
	holder := "nobody has taken it"
	if t.Handle != "" {
		holder = "assigned to " + t.Handle
	}
	head = fmt.Sprintf("%s, priority %s, category %s, %s", t.Status, t.Priority, t.Category, holder)
	rest = append(rest, fact{"waits for", awaited(t)})
	if s.Next.Kind != "" {
		rest = append(rest, fact{"next by itself", s.Next.Label})
	}
	for _, name := range policy.ClockNames() {
		rest = append(rest, fact{spoken(name), promiseLine(*t.Promise(name))})
	}
	if s.Rung > 0 {
		rest = append(rest, fact{"escalated", fmt.Sprintf("rung %d, and nobody has answered or acknowledged it", s.Rung)})
	}
	if lines := stays(t.Emergencies); len(lines) > 0 {
		rest = append(rest, fact{"emergencies", strings.Join(lines, "; ")})
	}
	if len(owed) > 0 {
		rest = append(rest, fact{"mails still to be sent", mailsLine(owed)})
	}
	return head, rest
}

// awaited is whose turn it is.
func awaited(t *ticket.Ticket) string {
	switch {
	case t.Closed():
		return "nothing, it is closed for good"
	case t.InEmergency():
		return "the end of the emergency that stops its clocks"
	case t.Unheard() && t.Status == ticket.StatusWaiting:
		return "the delivery of the mail that asks the requester, whose silence does not count before"
	case t.Unheard():
		return "the delivery of the mail that tells the requester of the resolution, whose silence does not count before"
	case t.Status == ticket.StatusWaiting:
		return "the requester's answer"
	case t.Status == ticket.StatusResolved:
		return "the requester to confirm, to reply or to stay silent"
	case t.Handle == "":
		return "somebody to take it"
	case t.FirstResponse.MetAt.IsZero():
		return "the first response of " + t.Handle
	default:
		return "the resolution by " + t.Handle
	}
}

// promiseLine is what became of a promise, and its ledger in short.
func promiseLine(p ticket.Promise) string {
	var line string
	switch due, running := p.Clock.Due(); {
	case len(p.Clock.Ledger) == 0:
		return "not promised yet"
	case !p.MetAt.IsZero():
		line = "given " + instant(p.MetAt)
	case p.Clock.Settled():
		line = "no longer owed"
	case running:
		line = "due " + instant(due)
	default:
		line = "paused, " + reasons(p.Clock.Reasons())
	}
	if !p.BreachedAt.IsZero() {
		line += ", broken " + instant(p.BreachedAt)
	}
	return line + "; " + budgetLine(p.Clock)
}

// budgetLine is the sum of a ledger, as of its last entry: what runs after that, only a calendar can count.
func budgetLine(c policy.Clock) string {
	last := c.Ledger[len(c.Ledger)-1]
	target := c.Budget() - c.Extension()
	line := "target " + policy.FormatBudget(c.Counts, target) + " of " + unit(c.Counts)
	if by := c.Extension(); by != 0 {
		line += ", " + policy.FormatBudget(c.Counts, by) + " added"
	}
	return line + ", " + policy.FormatBudget(c.Counts, last.Used) + " used by " + instant(last.At)
}

func reasons(all []policy.Reason) string {
	names := make([]string, len(all))
	for i, r := range all {
		names[i] = string(r)
	}
	return strings.Join(names, " and ")
}

func unit(counts policy.Counting) string {
	switch counts {
	case policy.CountBusinessHours:
		return "business hours"
	case policy.CountBusinessDays:
		return "business days"
	default:
		return "calendar time"
	}
}

func stays(all []ticket.Stay) []string {
	lines := make([]string, len(all))
	for i, s := range all {
		switch {
		case s.By != 0:
			lines[i] = fmt.Sprintf("%s made the targets %s longer %s", s.ID, policy.FormatDuration(s.By), instant(s.From))
		case s.Until.IsZero():
			lines[i] = fmt.Sprintf("%s stops the clocks since %s", s.ID, instant(s.From))
		default:
			lines[i] = fmt.Sprintf("%s stopped the clocks from %s to %s", s.ID, instant(s.From), instant(s.Until))
		}
	}
	return lines
}

// mostMails are named one by one.
const mostMails = 5

func mailsLine(owed []ticket.Owed) string {
	names := make([]string, 0, mostMails)
	for _, m := range owed[:min(len(owed), mostMails)] {
		names = append(names, fmt.Sprintf("%d %s to %s", m.N, m.Kind, m.To))
	}
	line := strings.Join(names, ", ")
	if more := len(owed) - len(names); more > 0 {
		line += fmt.Sprintf(" and %d more", more)
	}
	return line
}

func spoken(name policy.ClockName) string { return strings.ReplaceAll(string(name), "_", " ") }

// instant is in UTC: a worker's own zone must not reach a history.
func instant(t time.Time) string { return t.UTC().Format("Mon 2 Jan 2006 15:04:05 UTC") }
