package demo

import (
	"context"
	"fmt"
	"slices"

	"github.com/holesalemart/supportdesk/internal/desk"
)

// canned are shared canned replies.
var canned = []desk.CannedReply{
	{Title: "Demo: ask for the order number", Body: "Hello {{requester.name}},\n\nthank you for your message about “{{ticket.subject}}”. " +
		"Which order is it about? You'll find its number in the confirmation email.\n\n{{agent.name}}"},
	{Title: "Demo: on its way", Body: "Hello {{requester.name}},\n\norder {{ticket.order}} has left our warehouse. " +
		"If it has not arrived in three days, reply here and we'll look into it.\n\n{{agent.name}}"},
	{Title: "Demo: we are looking into it", Body: "Hello {{requester.name}},\n\nwe are looking into {{ticket.number}} and will resolve it by " +
		"{{promise.resolution}}. There is nothing you need to do until then.\n\n{{agent.name}}"},
	{Title: "Demo: the refund is paid", Body: "Hello {{requester.name}},\n\nwe have issued your refund. Depending on your bank it takes " +
		"up to three working days. If anything is missing, reply here or write to {{desk.contact}}.\n\n{{agent.name}}"},
}

// filters are shared saved filters.
var filters = []desk.SavedFilter{
	{Name: "Demo: urgent and not closed", Query: "priority=urgent&queue=all&status=unfinished"},
	{Name: "Demo: late and important", Query: "priority=high&queue=breached"},
}

// createRepliesAndFilters saves the shared replies and filters. Existing ones with the same title are left unchanged.
func createRepliesAndFilters(ctx context.Context, k store, author desk.Person) error {
	replies, err := k.CannedReplies(ctx, author)
	if err != nil {
		return fmt.Errorf("list canned replies: %w", err)
	}
	for _, c := range canned {
		if slices.ContainsFunc(replies, func(saved desk.CannedReply) bool { return saved.Title == c.Title }) {
			continue
		}
		c.Shared = true
		if _, err := k.SaveCanned(ctx, author, c); err != nil {
			return fmt.Errorf("save canned reply: %w", err)
		}
	}
	saved, err := k.SavedFilters(ctx, author)
	if err != nil {
		return fmt.Errorf("list saved filters: %w", err)
	}
	for _, f := range filters {
		if slices.ContainsFunc(saved, func(other desk.SavedFilter) bool { return other.Name == f.Name }) {
			continue
		}
		f.Shared = true
		if _, err := k.SaveFilter(ctx, author, f); err != nil {
			return fmt.Errorf("save filter: %w", err)
		}
	}
	return nil
}
