package demo

import (
	"context"
	"fmt"
	"slices"

	"github.com/holesalemart/supportdesk/internal/desk"
)

// canned are replies for use again, which everybody on the staff sees.
var canned = []desk.Canned{
	{Title: "Demo: ask for the order number", Body: "Hello {{requester.name}},\n\nthank you for your message about “{{ticket.subject}}”. " +
		"Which order is it about? Its number stands in the mail that confirmed it.\n\n{{agent.name}}"},
	{Title: "Demo: on its way", Body: "Hello {{requester.name}},\n\norder {{ticket.order}} has left our warehouse. " +
		"If it has not arrived in three days, answer here, and we look for it.\n\n{{agent.name}}"},
	{Title: "Demo: we are looking into it", Body: "Hello {{requester.name}},\n\nwe are looking into {{ticket.number}}, and settle it by " +
		"{{promise.resolution}}. You need not do anything until then.\n\n{{agent.name}}"},
	{Title: "Demo: the refund is paid", Body: "Hello {{requester.name}},\n\nwe have paid your refund. Depending on your bank it takes " +
		"up to three working days. If anything is missing, answer here or write to {{desk.contact}}.\n\n{{agent.name}}"},
}

// filters are lists under a name, which everybody on the staff sees.
var filters = []desk.Saved{
	{Name: "Demo: urgent and not closed", Query: "priority=urgent&queue=all&status=unfinished"},
	{Name: "Demo: late and important", Query: "priority=high&queue=breached"},
}

// notebook keeps the shared replies and filters of a demo. Those whose title is there already are left as they are.
func notebook(ctx context.Context, k keeper, author desk.Person) error {
	replies, err := k.CannedReplies(ctx, author)
	if err != nil {
		return fmt.Errorf("look for canned replies: %w", err)
	}
	for _, c := range canned {
		if slices.ContainsFunc(replies, func(kept desk.Canned) bool { return kept.Title == c.Title }) {
			continue
		}
		c.Shared = true
		if _, err := k.SaveCanned(ctx, author, c); err != nil {
			return fmt.Errorf("keep a canned reply: %w", err)
		}
	}
	saved, err := k.SavedFilters(ctx, author)
	if err != nil {
		return fmt.Errorf("look for saved filters: %w", err)
	}
	for _, f := range filters {
		if slices.ContainsFunc(saved, func(kept desk.Saved) bool { return kept.Name == f.Name }) {
			continue
		}
		f.Shared = true
		if _, err := k.SaveFilter(ctx, author, f); err != nil {
			return fmt.Errorf("keep a filter: %w", err)
		}
	}
	return nil
}
