package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

type commandInput struct {
	Number string `path:"number"`
	Body   any    // validated by the schema; see requestBody
}

type mailCommandInput struct {
	Number string `path:"number"`
	N      int    `path:"n" minimum:"1" doc:"The email's number within the ticket, as in the timeline."`
	Body   any
}

type commandOutput struct {
	Status   int
	Location string `header:"Location" doc:"With 202: the ticket, which will show the outcome."`
	Replayed string `header:"Idempotency-Replayed" doc:"true if the idempotency key was used before."`
	Body     any    // ticketView with 200, acceptedView with 202
}

type acceptedView struct {
	Number  ticket.Number `json:"number"`
	Command int64         `json:"command" doc:"The command's number within the ticket."`
	Status  string        `json:"status" enum:"accepted"`
}

// handleOperation returns the handler of an operation on a ticket.
func handleOperation(o operation) func(*server, context.Context, *commandInput) (*commandOutput, error) {
	return func(s *server, ctx context.Context, in *commandInput) (*commandOutput, error) {
		return s.parseCommand(ctx, in.Number, o, valuesOf(in.Body))
	}
}

// handleMailOperation returns the handler of an operation on a mail of a ticket.
func handleMailOperation(o operation) func(*server, context.Context, *mailCommandInput) (*commandOutput, error) {
	return func(s *server, ctx context.Context, in *mailCommandInput) (*commandOutput, error) {
		values := valuesOf(in.Body)
		values.Set("mail", strconv.Itoa(in.N))
		return s.parseCommand(ctx, in.Number, o, values)
	}
}

// valuesOf converts a body to form values, which the API and the pages parse alike. Its schema allows strings and
// integers only.
func valuesOf(body any) url.Values {
	values := url.Values{}
	properties, _ := body.(map[string]any)
	for name, value := range properties {
		switch value := value.(type) {
		case string:
			values.Set(name, value)
		case float64:
			values.Set(name, strconv.FormatFloat(value, 'f', -1, 64))
		}
	}
	return values
}

// parseCommand parses the command of an operation from values, as the registry describes it, and runs it.
func (s *server) parseCommand(ctx context.Context, number string, o operation, values url.Values) (*commandOutput, error) {
	verb := o.verbFor(request.Of(ctx).Person.Role)
	var f input.Fields
	r := input.Command(&f, verb, values)
	if one := verb.Definition().OneOf; len(one) > 0 && !slices.ContainsFunc(one, func(name string) bool { return values.Get(name) != "" }) {
		f.Reject("body", "must contain %s", strings.Join(one, " or "))
	}
	if err := f.Err(); err != nil {
		return nil, err
	}
	return s.runCommand(ctx, number, r)
}

// runCommand requests a command and returns its outcome: 200 with the ticket's new state, 202 if it was not decided in
// time, or a refusal as a problem.
func (s *server) runCommand(ctx context.Context, number string, r desk.Request) (*commandOutput, error) {
	v := request.Of(ctx)
	var err error
	if r.Number, err = s.number(number); err != nil {
		return nil, err
	}
	r.IdempotencyKey = v.IdempotencyKey
	a := request.Ask(ctx, s.Desk, v.Person, r)
	out := &commandOutput{Status: http.StatusOK, Replayed: replayed(a.Accepted.Again)}
	switch a.State {
	case request.Failed:
		return nil, a.Err
	case request.Refused:
		return nil, s.refusal(ctx, r, a.Outcome)
	case request.Granted:
		if out.Body, a.Err = s.ticket(ctx, r.Number); a.Err == nil {
			return out, nil
		}
	}
	v.Failure = a.Err
	out.Status, out.Location = http.StatusAccepted, linksOf(r.Number).Self
	out.Body = acceptedView{Number: r.Number, Command: a.Accepted.Seq, Status: "accepted"}
	return out, nil
}

// refusal returns the problem for a refused command. If the client had not seen the latest entries of the timeline, the
// problem lists their numbers.
func (s *server) refusal(ctx context.Context, r desk.Request, o ticket.Outcome) error {
	switch o.Code {
	case ticket.CodeRole:
		return &fault.Error{Kind: fault.Forbidden, Code: o.Code, Message: o.Reason}
	case ticket.CodeUnseen:
		p := newProblem(http.StatusConflict, o.Reason)
		p.Code = o.Code
		timeline, err := s.Desk.Timeline(ctx, request.Of(ctx).Person, r.Number)
		for _, e := range desk.Unseen(timeline, request.Of(ctx).Person, r.Seen) {
			p.Unseen = append(p.Unseen, e.N)
		}
		request.Of(ctx).Failure = err // the refusal is returned without the numbers
		return p
	}
	return fault.NewConflict(o.Code, "%s", o.Reason)
}
