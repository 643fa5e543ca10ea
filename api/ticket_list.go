package api

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

type listInput struct {
	Queue    queueName    `query:"queue" doc:"For staff only; absent: all tickets."`
	Status   statusName   `query:"status"`
	Assignee string       `query:"assignee" doc:"A handle or an ID."`
	Priority priorityName `query:"priority"`
	Category string       `query:"category"`
	Text     string       `query:"q" doc:"Words in subjects and messages, as you would type them into a web search."`
	Cursor   string       `query:"cursor" doc:"The field next of the previous page."`
	Limit    int          `query:"limit" minimum:"1" maximum:"100" default:"25"`
}

type listOutput struct {
	Link string `header:"Link" doc:"rel=next, if there are more."`
	Body listView
}

type listView struct {
	Tickets []summaryView `json:"tickets" doc:"For staff by next due event, earliest first; for customers newest first."`
	Next    string        `json:"next" doc:"The cursor of the next page; empty on the last."`
}

// summaryView is a ticket in a list.
type summaryView struct {
	Number      ticket.Number       `json:"number"`
	Subject     string              `json:"subject"`
	Status      ticket.Status       `json:"status"`
	Cause       ticket.Cause        `json:"cause,omitempty"`
	Priority    policy.Priority     `json:"priority"`
	Category    string              `json:"category"`
	Requester   personView          `json:"requester"`
	Assignee    *assigneeView       `json:"assignee,omitempty"`
	SubmittedAt time.Time           `json:"submitted_at"`
	UpdatedAt   time.Time           `json:"updated_at" doc:"The time of the last event that you may see."`
	Pending     bool                `json:"pending"`
	Next        *dueEventView       `json:"next,omitempty"`
	Promises    currentPromisesView `json:"promises"`
	Links       linksView           `json:"links"`
}

func (s *server) list(ctx context.Context, in *listInput) (*listOutput, error) {
	viewer := request.Of(ctx).Person
	filter, err := in.filter(viewer)
	if err != nil {
		return nil, err
	}
	views, more, err := s.Desk.List(ctx, filter)
	if err != nil {
		return nil, err
	}
	staff := viewer.Role.Staff()
	out := &listOutput{Body: listView{Tickets: make([]summaryView, 0, len(views))}}
	for _, v := range views {
		out.Body.Tickets = append(out.Body.Tickets, viewSummary(v, staff))
	}
	if more && len(views) > 0 {
		out.Body.Next = input.EncodeCursor(filter.Place(views[len(views)-1]))
		out.Link = "<" + in.address(out.Body.Next) + `>; rel="next"`
	}
	return out, nil
}

func (in *listInput) filter(viewer desk.Person) (desk.Filter, error) {
	var f input.Fields
	filter := desk.Filter{
		Viewer:   viewer,
		Queue:    desk.Queue(in.Queue),
		Assignee: f.Optional("query.assignee", in.Assignee, input.MaxWord),
		Priority: policy.Priority(in.Priority),
		Category: f.Optional("query.category", in.Category, input.MaxWord),
		Text:     f.Optional("query.q", in.Text, input.MaxSearch),
		After:    f.Cursor("query.cursor", in.Cursor),
		Limit:    in.Limit,
	}
	if in.Status != "" {
		filter.Statuses = []ticket.Status{ticket.Status(in.Status)}
	}
	if !viewer.Role.Staff() && filter.Queue != "" && filter.Queue != desk.QueueAll {
		f.Reject("query.queue", "is for staff only")
	}
	return filter, f.Err()
}

// address returns the address of the same list at another cursor.
func (in *listInput) address(cursor string) string {
	query := url.Values{"cursor": {cursor}, "limit": {strconv.Itoa(in.Limit)}}
	for name, value := range map[string]string{
		"queue": string(in.Queue), "status": string(in.Status), "assignee": in.Assignee,
		"priority": string(in.Priority), "category": in.Category, "q": in.Text,
	} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return prefix + "/tickets?" + query.Encode()
}

func viewSummary(v desk.View, staff bool) summaryView {
	return summaryView{
		Number: v.Number, Subject: v.Subject, Status: v.Ticket.Status, Cause: v.Ticket.Cause,
		Priority: v.Ticket.Priority, Category: v.Ticket.Category,
		Requester: personView{v.Requester.ID, v.Requester.Name}, Assignee: viewAssignee(v.Assignee),
		SubmittedAt: v.Submitted.UTC(), UpdatedAt: updatedAt(v, staff), Pending: !v.Decided(),
		Next: viewNext(v, staff), Promises: viewPromises(v.Promised()), Links: linksOf(v.Number),
	}
}
