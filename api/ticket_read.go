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

type ticketInput struct {
	Number string `path:"number"`
}

// ticketView is a ticket as the viewer may see it.
type ticketView struct {
	Number         ticket.Number   `json:"number" example:"HM-7Q2K9XM4TD"`
	Subject        string          `json:"subject"`
	Status         ticket.Status   `json:"status"`
	Cause          ticket.Cause    `json:"cause,omitempty" doc:"Who or what resolved or closed it."`
	Priority       policy.Priority `json:"priority"`
	Category       string          `json:"category"`
	Order          string          `json:"order,omitempty"`
	Follows        ticket.Number   `json:"follows,omitempty"`
	FollowedBy     []ticket.Number `json:"followed_by,omitempty"`
	Requester      personView      `json:"requester"`
	People         []involvedView  `json:"people" doc:"Who is in the ticket: the requester, then the participants by name."`
	Assignee       *assigneeView   `json:"assignee,omitempty"`
	SubmittedAt    time.Time       `json:"submitted_at"`
	UpdatedAt      time.Time       `json:"updated_at" doc:"The time of the last event that you may see."`
	Policy         int64           `json:"policy" doc:"The policy version that the ticket is pinned to."`
	Pending        bool            `json:"pending" doc:"A command was accepted that has not been decided yet."`
	Escalation     *int            `json:"escalation,omitempty" doc:"Staff only: the highest escalation step that has fired and was neither answered nor acknowledged; 0: none."`
	Snoozed        *time.Time      `json:"snoozed_until,omitempty" doc:"Staff only: when the ticket wakes."`
	AwaitsDelivery bool            `json:"awaiting_delivery,omitempty" doc:"The email that asks the requester to reply, or notifies them of the resolution, has not been delivered yet. Their silence does not count before."`
	Next           *dueEventView   `json:"next,omitempty" doc:"What happens by itself unless something else happens before. Customers see no reminders, escalation steps and waking, but what comes after."`
	Clocks         clocksView      `json:"clocks"`
	Links          linksView       `json:"links"`
}

type personView struct {
	ID   ticket.PersonID `json:"id"`
	Name string          `json:"name"`
}

// involvedView is the requester or a participant of a ticket.
type involvedView struct {
	ID      ticket.PersonID `json:"id"`
	Name    string          `json:"name"`
	Part    string          `json:"part" enum:"requester,participant"`
	Address string          `json:"address,omitempty" doc:"Staff only."`
	Contact bool            `json:"contact,omitempty" doc:"Staff only: the person has no account yet."`
}

func viewPeople(v desk.View, staff bool) []involvedView {
	return viewEach(v.People, func(p desk.Involved) involvedView {
		view := involvedView{ID: p.ID, Name: p.Name, Part: "participant"}
		if p.ID == v.Requester.ID {
			view.Part = "requester"
		}
		if staff {
			view.Address, view.Contact = p.Address, p.Contact
		}
		return view
	})
}

type assigneeView struct {
	Handle string `json:"handle"`
	Name   string `json:"name"`
}

type dueEventView struct {
	Kind  ticket.DueKind   `json:"kind"`
	Clock policy.ClockName `json:"clock,omitempty"`
	Due   time.Time        `json:"due"`
}

type clocksView struct {
	FirstResponse clockView `json:"first_response"`
	Resolution    clockView `json:"resolution"`
}

// clockView is the state of a ticket's clock. Used and remaining seconds add up to the budget; they no longer change
// once the target is met.
type clockView struct {
	Counts           policy.CountingMode `json:"counts"`
	BudgetSeconds    int64               `json:"budget_seconds"`
	UsedSeconds      int64               `json:"used_seconds"`
	RemainingSeconds int64               `json:"remaining_seconds" doc:"Negative once the target is breached, counted from the breached deadline."`
	Due              time.Time           `json:"due,omitzero" doc:"Absent while the clock is paused. Of a breached target the deadline that passed."`
	Running          bool                `json:"running"`
	PausedFor        []policy.Reason     `json:"paused_for,omitempty"`
	MetAt            time.Time           `json:"met_at,omitzero"`
	BreachedAt       time.Time           `json:"breached_at,omitzero"`
	Explanation      []lineView          `json:"explanation" doc:"How the deadline is computed, line by line."`
}

type lineView struct {
	From         time.Time       `json:"from"`
	To           time.Time       `json:"to"`
	Running      bool            `json:"running"`
	Reasons      []policy.Reason `json:"reasons,omitempty"`
	UsedSeconds  int64           `json:"used_seconds" doc:"The budget used between from and to."`
	TotalSeconds int64           `json:"total_seconds" doc:"The budget used up to then."`
	Text         string          `json:"text"`
}

func (s *server) read(ctx context.Context, in *ticketInput) (ticketView, error) {
	n, err := s.number(in.Number)
	if err != nil {
		return ticketView{}, err
	}
	return s.ticket(ctx, n)
}

// ticket returns a ticket as the caller may see it.
func (s *server) ticket(ctx context.Context, n ticket.Number) (ticketView, error) {
	viewer := request.Of(ctx).Person
	v, err := s.Desk.Ticket(ctx, viewer, n)
	if err != nil {
		return ticketView{}, err
	}
	return viewTicket(v, viewer.Role.Staff(), time.Now()), nil
}

// updatedAt returns the time of the last event that the viewer may see.
func updatedAt(v desk.View, staff bool) time.Time {
	if staff {
		return v.Updated.UTC()
	}
	return v.Shown.UTC()
}

func viewTicket(v desk.View, staff bool, now time.Time) ticketView {
	view := ticketView{
		Number: v.Number, Subject: v.Subject, Status: v.Ticket.Status, Cause: v.Ticket.Cause,
		Priority: v.Ticket.Priority, Category: v.Ticket.Category, Order: v.Order,
		Follows: v.Follows, FollowedBy: v.FollowedBy,
		Requester: personView{v.Requester.ID, v.Requester.Name}, People: viewPeople(v, staff), Assignee: viewAssignee(v.Assignee),
		SubmittedAt: v.Submitted.UTC(), UpdatedAt: updatedAt(v, staff), Policy: v.Record.Policy, Pending: !v.Decided(),
		AwaitsDelivery: v.Ticket.AwaitsDelivery(), Next: viewNext(v, staff),
		Clocks: clocksView{
			FirstResponse: viewClock(v, policy.FirstResponse, now),
			Resolution:    viewClock(v, policy.Resolution, now),
		},
		Links: linksOf(v.Number),
	}
	if staff {
		step := v.Ticket.EscalationStep()
		view.Escalation, view.Snoozed = &step, instantOrNull(v.Ticket.SnoozedUntil)
	}
	return view
}

// viewAssignee returns the view of a ticket's assignee; nil: the ticket is unassigned.
func viewAssignee(r *desk.Ref) *assigneeView {
	if r == nil {
		return nil
	}
	return viewRef(*r)
}

// viewRef returns the view of a person, or nil for the zero Ref.
func viewRef(r desk.Ref) *assigneeView {
	if r.ID == "" {
		return nil
	}
	return &assigneeView{Handle: r.Handle, Name: r.Name}
}

// viewNext returns the next due event that the viewer may see, or nil if there is none.
func viewNext(v desk.View, staff bool) *dueEventView {
	next := v.Next
	if !staff {
		next, _ = ticket.NextForRequester(v.Ticket, v.Policy)
	}
	if next.Kind == "" {
		return nil
	}
	return &dueEventView{Kind: next.Kind, Clock: next.Clock, Due: next.Due.UTC()}
}

func viewClock(v desk.View, name policy.ClockName, now time.Time) clockView {
	clock, g := v.Ticket.Promise(name).Clock, v.Gauge(name, now)
	return clockView{
		Counts:           clock.AsMet().Counts,
		BudgetSeconds:    seconds(g.Budget),
		UsedSeconds:      seconds(g.Used),
		RemainingSeconds: seconds(g.Budget - g.Used),
		Due:              g.Due,
		Running:          clock.Running() && !g.Settled,
		PausedFor:        g.Paused,
		MetAt:            g.MetAt,
		BreachedAt:       g.BreachedAt,
		Explanation:      viewEach(v.Explain(name, now), viewLine),
	}
}

func viewLine(l policy.Line) lineView {
	return lineView{
		From: l.From, To: l.To, Running: l.Running, Reasons: l.Reasons,
		UsedSeconds: seconds(l.Used), TotalSeconds: seconds(l.Total), Text: l.Text,
	}
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }

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
	out := &listOutput{}
	out.Body.Tickets = viewEach(views, func(v desk.View) summaryView { return viewSummary(v, staff) })
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
