package api

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

type ticketInput struct {
	Number string `path:"number"`
}

type ticketOutput struct{ Body ticketView }

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
	Assignee       *assigneeView   `json:"assignee,omitempty"`
	SubmittedAt    time.Time       `json:"submitted_at"`
	UpdatedAt      time.Time       `json:"updated_at" doc:"When something last happened to it that you may see."`
	Policy         int64           `json:"policy" doc:"The version of the policy that the ticket keeps."`
	Pending        bool            `json:"pending" doc:"Something was accepted that has not been decided yet."`
	Escalation     *int            `json:"escalation,omitempty" doc:"Staff only: the highest escalation step that has fired and has been neither answered nor acknowledged; 0 if there is none."`
	Snoozed        *time.Time      `json:"snoozed_until,omitempty" doc:"Staff only: when the ticket wakes."`
	AwaitsDelivery bool            `json:"awaiting_delivery,omitempty" doc:"No mail server has taken the mail yet that asks the requester for an answer, or tells them of the resolution: their silence does not count before."`
	Next           *dueEventView   `json:"next,omitempty" doc:"What happens by itself unless something else happens before. Reminders, escalations and waking are shown to staff only."`
	Clocks         clocksView      `json:"clocks"`
	Links          linksView       `json:"links"`
}

type personView struct {
	ID   ticket.PersonID `json:"id"`
	Name string          `json:"name"`
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
	RemainingSeconds int64               `json:"remaining_seconds" doc:"Negative once the promise is broken, counted from the target that was broken."`
	Due              time.Time           `json:"due,omitzero" doc:"Absent while the clock is paused. Of a broken promise the deadline that passed."`
	Running          bool                `json:"running"`
	PausedFor        []policy.Reason     `json:"paused_for,omitempty"`
	MetAt            time.Time           `json:"met_at,omitzero"`
	BreachedAt       time.Time           `json:"breached_at,omitzero"`
	Explanation      []lineView          `json:"explanation" doc:"How the deadline came about, line by line."`
}

type lineView struct {
	From         time.Time       `json:"from"`
	To           time.Time       `json:"to"`
	Running      bool            `json:"running"`
	Reasons      []policy.Reason `json:"reasons,omitempty"`
	UsedSeconds  int64           `json:"used_seconds" doc:"Used up between from and to."`
	TotalSeconds int64           `json:"total_seconds" doc:"Used up by to."`
	Text         string          `json:"text"`
}

func (s *server) read(ctx context.Context, in *ticketInput) (*ticketOutput, error) {
	n, err := s.number(in.Number)
	if err != nil {
		return nil, err
	}
	view, err := s.ticket(ctx, n)
	return &ticketOutput{Body: view}, err
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
		Requester: personView{v.Requester.ID, v.Requester.Name}, Assignee: viewAssignee(v.Assignee),
		SubmittedAt: v.Submitted.UTC(), UpdatedAt: updatedAt(v, staff), Policy: v.Record.Policy, Pending: !v.Decided(),
		AwaitsDelivery: v.Ticket.AwaitsDelivery(), Next: viewDueEvent(v.Next, staff),
		Clocks: clocksView{
			FirstResponse: viewClock(v, policy.FirstResponse, now),
			Resolution:    viewClock(v, policy.Resolution, now),
		},
		Links: linksOf(v.Number),
	}
	if staff {
		rung := v.Ticket.EscalationStep()
		view.Escalation = &rung
		if until := v.Ticket.SnoozedUntil; !until.IsZero() {
			view.Snoozed = &until
		}
	}
	return view
}

func viewAssignee(r *desk.Ref) *assigneeView {
	if r == nil {
		return nil
	}
	return &assigneeView{Handle: r.Handle, Name: r.Name}
}

func viewDueEvent(m ticket.DueEvent, staff bool) *dueEventView {
	internal := m.Kind == ticket.DueReminder || m.Kind == ticket.DueEscalation || m.Kind == ticket.DueWake
	if m.Kind == "" || internal && !staff {
		return nil
	}
	return &dueEventView{Kind: m.Kind, Clock: m.Clock, Due: m.Due.UTC()}
}

func viewClock(v desk.View, name policy.ClockName, now time.Time) clockView {
	clock, g := v.Ticket.Promise(name).Clock, v.Gauge(name, now)
	view := clockView{
		Counts:           clock.AsMet().Counts,
		BudgetSeconds:    seconds(g.Budget),
		UsedSeconds:      seconds(g.Used),
		RemainingSeconds: seconds(g.Budget - g.Used),
		Due:              g.Due,
		Running:          clock.Running() && !g.Settled,
		PausedFor:        g.Paused,
		MetAt:            g.MetAt,
		BreachedAt:       g.BreachedAt,
	}
	for _, l := range v.Explain(name, now) {
		view.Explanation = append(view.Explanation, lineView{
			From: l.From, To: l.To, Running: l.Running, Reasons: l.Reasons,
			UsedSeconds: seconds(l.Used), TotalSeconds: seconds(l.Total), Text: l.Text,
		})
	}
	return view
}

func seconds(d time.Duration) int64 { return int64(d / time.Second) }
