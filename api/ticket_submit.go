package api

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

type submission struct {
	Subject  string       `json:"subject" doc:"One line, 1 to 200 characters after trimming."`
	Body     string       `json:"body,omitempty" doc:"The message, in the format that format names, 1 to 65536 bytes. It may be empty if there are files."`
	Format   desk.Format  `json:"format,omitempty" enum:"text,markdown" doc:"What the message is written in. Default: text."`
	Files    fileIDs      `json:"files,omitempty"`
	Category string       `json:"category,omitempty" doc:"One of the policy's categories; absent: the first."`
	Priority priorityName `json:"priority,omitempty" doc:"Absent: normal. The policy says whether customers may choose."`
	Order    string       `json:"order,omitempty" doc:"The shop's order number, up to 64 characters."`
	Follows  string       `json:"follows,omitempty" doc:"The number of an earlier ticket of yours that this one follows up."`

	Requester *requesterBody `json:"requester,omitempty" doc:"Staff only, and required of them: the customer for whom the ticket is opened."`
	Channel   desk.Channel   `json:"channel,omitempty" enum:"phone,in-person" doc:"Staff only: by which the customer turned to the desk. Absent: the API."`
}

// requesterBody names the customer for whom staff open a ticket.
type requesterBody struct {
	Person string `json:"person" doc:"An ID or an email address. An address that is unknown so far becomes a contact, who has no account until they register with it."`
	Name   string `json:"name,omitempty" doc:"The name of a new contact, up to 200 characters. Default: the part of the address before the @."`
}

type submitOutput struct {
	Location string `header:"Location"`
	Replayed string `header:"Idempotency-Replayed" doc:"true if the idempotency key was used before; the response is the first one's."`
	Body     receiptView
}

type receiptView struct {
	Number     ticket.Number        `json:"number" example:"HM-7Q2K9XM4TD"`
	Status     ticket.Status        `json:"status"`
	AcceptedAt time.Time            `json:"accepted_at"`
	Priority   policy.Priority      `json:"priority"`
	Category   string               `json:"category"`
	Policy     int64                `json:"policy" doc:"The policy version that the ticket is pinned to."`
	Promises   promisesView         `json:"promises"`
	Emergency  *activeEmergencyView `json:"emergency,omitempty" doc:"Present if the ticket was accepted in an emergency."`
	Links      linksView            `json:"links"`
}

type promisesView struct {
	FirstResponseDue time.Time `json:"first_response_due,omitzero" doc:"Absent while an emergency pauses the clock."`
	ResolutionDue    time.Time `json:"resolution_due,omitzero" doc:"Absent while an emergency pauses the clock."`
}

// activeEmergencyView is the effect of current emergencies on the deadlines of a new ticket.
type activeEmergencyView struct {
	Kind      ticket.EmergencyKind `json:"kind" enum:"closed,delayed" doc:"closed: clocks are paused. delayed: the deadlines above are later than usual."`
	ResumesAt time.Time            `json:"resumes_at,omitzero" doc:"closed: when the clocks resume if the emergency ends as planned. Absent while no end is planned."`
	Expected  promisesView         `json:"expected" doc:"Both deadlines if all emergencies end as planned."`
}

func viewActiveEmergency(r desk.Receipt) *activeEmergencyView {
	if len(r.Emergencies) == 0 {
		return nil
	}
	v := &activeEmergencyView{
		Kind: ticket.EmergencyDelayed, ResumesAt: r.ResumesAt, Expected: promisesView{r.Expected.FirstResponse, r.Expected.Resolution},
	}
	for _, e := range r.Emergencies {
		if e.Kind == ticket.EmergencyClosed {
			v.Kind = e.Kind
		}
	}
	return v
}

type linksView struct {
	Self     string `json:"self"`
	Timeline string `json:"timeline"`
	Track    string `json:"track"`
}

func linksOf(n ticket.Number) linksView {
	self := prefix + "/tickets/" + string(n)
	return linksView{Self: self, Timeline: self + "/timeline", Track: prefix + "/track/" + string(n)}
}

// submit stores a new ticket and returns its deadlines.
func (s *server) submit(ctx context.Context, in *bodyOf[submission]) (*submitOutput, error) {
	v := request.Of(ctx)
	var f input.Fields
	files := input.Files(&f, in.Body.Files)
	typed := desk.Submission{
		Files:          files,
		Subject:        f.Line("subject", in.Body.Subject, desk.MaxSubject),
		Body:           f.Message("body", in.Body.Body, true, files),
		Format:         f.Format("format", string(in.Body.Format)),
		Category:       f.Optional("category", in.Body.Category, input.MaxWord),
		Priority:       policy.Priority(in.Body.Priority),
		Order:          f.Optional("order", in.Body.Order, input.MaxOrder),
		Follows:        f.Number("follows", in.Body.Follows),
		Channel:        f.Channel("channel", string(in.Body.Channel)),
		IdempotencyKey: v.IdempotencyKey,
	}
	if r := in.Body.Requester; r != nil {
		typed.Requester = input.Whom(&f, "requester", r.Person, r.Name)
	}
	if err := f.Err(); err != nil {
		return nil, err
	}
	receipt, err := s.Desk.Submit(ctx, v.Person, typed)
	if err != nil {
		return nil, err
	}
	links := linksOf(receipt.Number)
	return &submitOutput{Location: links.Self, Replayed: replayed(receipt.Again), Body: receiptView{
		Number: receipt.Number, Status: ticket.StatusNew, AcceptedAt: receipt.At, Priority: receipt.Priority,
		Category: receipt.Category, Policy: receipt.Policy, Links: links,
		Promises:  promisesView{receipt.Promises.FirstResponse, receipt.Promises.Resolution},
		Emergency: viewActiveEmergency(receipt),
	}}, nil
}

type ratingInput struct {
	Number string `path:"number"`
	Body   ratingBody
}

type ratingBody struct {
	Score   int    `json:"score" doc:"1 to 5; 5 is the best."`
	Comment string `json:"comment,omitempty" doc:"Plain text, up to 2000 characters."`
}

type ratingView struct {
	Number  ticket.Number `json:"number"`
	Score   int           `json:"score"`
	Comment string        `json:"comment,omitempty"`
	At      time.Time     `json:"at"`
}

// rate stores the requester's rating. It is not a command: there is nothing to decide, and a later rating replaces an
// earlier one, so repeating it is safe without an idempotency key.
func (s *server) rate(ctx context.Context, in *ratingInput) (view ratingView, err error) {
	n, err := s.number(in.Number)
	if err != nil {
		return view, err
	}
	var f input.Fields
	r := desk.Rating{Number: n, Score: in.Body.Score}
	if in.Body.Comment != "" {
		r.Comment = f.Words("comment", in.Body.Comment)
	}
	if err := f.Err(); err != nil {
		return view, err
	}
	r, err = s.Desk.Rate(ctx, request.Of(ctx).Person, r)
	return ratingView{Number: r.Number, Score: r.Score, Comment: r.Comment, At: r.At.UTC()}, err
}
