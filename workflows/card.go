package workflows

import (
	"fmt"
	"strings"
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// card is what Temporal UI shows of a ticket without opening its history: search attributes and a few lines.
type card struct {
	shown *attributes // nil: nothing yet in this run
}

type attributes struct {
	status   ticket.Status
	priority policy.Priority
	handle   string
	rung     int
	nextDue  time.Time
	paused   bool
}

// show brings the card up to date. Search attributes cost an event, so only a change writes them.
func (c *card) show(ctx workflow.Context, s ticket.State) error {
	workflow.SetCurrentDetails(ctx, details(s))
	now := attributes{
		status: s.Ticket.Status, priority: s.Ticket.Priority, handle: s.Ticket.Handle,
		rung: s.Rung, nextDue: s.Next.Due, paused: s.Paused,
	}
	if c.shown != nil && *c.shown == now {
		return nil
	}
	c.shown = &now
	assignee, due := AttributeAssignee.ValueUnset(), AttributeNextDue.ValueUnset()
	if now.handle != "" {
		assignee = AttributeAssignee.ValueSet(now.handle)
	}
	if !now.nextDue.IsZero() {
		due = AttributeNextDue.ValueSet(now.nextDue)
	}
	return workflow.UpsertTypedSearchAttributes(ctx,
		AttributeStatus.ValueSet(string(now.status)),
		AttributePriority.ValueSet(string(now.priority)),
		AttributeRung.ValueSet(int64(now.rung)),
		AttributePaused.ValueSet(now.paused),
		assignee, due,
	)
}

// details is a small card in Markdown.
func details(s ticket.State) string {
	var b strings.Builder
	t := s.Ticket
	fmt.Fprintf(&b, "**%s**, priority %s, category %s\n\n", t.Status, t.Priority, t.Category)
	if t.Handle == "" {
		b.WriteString("- nobody has taken it\n")
	} else {
		fmt.Fprintf(&b, "- assigned to %s\n", t.Handle)
	}
	for _, name := range policy.ClockNames() {
		fmt.Fprintf(&b, "- %s: %s\n", strings.ReplaceAll(string(name), "_", " "), promiseLine(*t.Promise(name)))
	}
	if s.Rung > 0 {
		fmt.Fprintf(&b, "- escalated, rung %d\n", s.Rung)
	}
	if s.Next.Kind != "" {
		fmt.Fprintf(&b, "- next: %s\n", s.Next.Label)
	}
	return b.String()
}

func promiseLine(p ticket.Promise) string {
	var line string
	switch due, running := p.Clock.Due(); {
	case !p.MetAt.IsZero():
		line = "given " + instant(p.MetAt)
	case p.Clock.Settled():
		line = "no longer owed"
	case running:
		line = "due " + instant(due)
	default:
		line = fmt.Sprintf("paused (%v)", p.Clock.Reasons())
	}
	if !p.BreachedAt.IsZero() {
		line += ", broken " + instant(p.BreachedAt)
	}
	return line
}

// instant is in UTC: a worker's own zone must not reach a history.
func instant(t time.Time) string { return t.UTC().Format("Mon 2 Jan 2006 15:04:05 UTC") }
