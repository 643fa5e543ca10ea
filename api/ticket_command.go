package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// nothing is a body that may be left out and holds no property.
type nothing struct{}

type plainInput struct {
	Number string `path:"number"`
	Body   *nothing
}

// readInput is a body that may be left out.
type readInput struct {
	Number string `path:"number"`
	Body   *ReadMark
}

// ReadMark is the part of a body that says how far its writer had read. It is exported for the document to show it in others.
type ReadMark struct {
	Seen int `json:"seen,omitempty" minimum:"1" doc:"The number of the last entry of the timeline that you had in front of you. If somebody else wrote after it what you may read, the command is refused with the code unseen-words, and unseen names those entries. Without it nothing is refused for that."`
}

func (r *ReadMark) values() url.Values {
	values := url.Values{}
	if r != nil && r.Seen != 0 {
		values.Set("seen", strconv.Itoa(r.Seen))
	}
	return values
}

type answerInput struct {
	Number string `path:"number"`
	Body   answer
}

type answer struct {
	Body string `json:"body" doc:"Plain text, 1 to 65536 bytes."`
	ReadMark
}

func (a answer) values() url.Values {
	values := a.ReadMark.values()
	values.Set("body", a.Body)
	return values
}

type wordsInput struct {
	Number string `path:"number"`
	Body   message
}

type message struct {
	Body string `json:"body" doc:"Plain text, 1 to 65536 bytes."`
}

type assignInput struct {
	Number string `path:"number"`
	Body   *assignment
}

type assignment struct {
	Agent string `json:"agent,omitempty" doc:"A handle or an ID; without it oneself."`
	// Expected is a pointer: nobody is something to expect.
	Expected *string `json:"expected,omitempty" doc:"Who has the ticket, as far as you know: a handle or an ID, empty for nobody. When somebody else has it by then, the command is refused with the code taken."`
}

func (a *assignment) values() url.Values {
	values := url.Values{}
	if a != nil {
		values.Set("agent", a.Agent)
		if a.Expected != nil {
			values.Set("expected", *a.Expected)
		}
	}
	return values
}

type acknowledgeInput struct {
	Number string `path:"number"`
	Body   *acknowledgement
}

type acknowledgement struct {
	Reason string `json:"reason,omitempty" doc:"Plain text for staff, up to 65536 bytes."`
}

type reclassifyInput struct {
	Number string `path:"number"`
	Body   classification
}

type classification struct {
	Priority priorityName `json:"priority,omitempty"`
	Category string       `json:"category,omitempty" doc:"One of the policy's that the ticket keeps."`
}

type resendInput struct {
	Number string `path:"number"`
	N      int    `path:"n" minimum:"1" doc:"Its number within the ticket, as the timeline has it."`
	Body   *redirection
}

type redirection struct {
	Address string `json:"address,omitempty" doc:"Where to, instead of the address of the requester's account, which stays as it is: it is how they sign in. For the requester's mails only."`
}

type commandOutput struct {
	Status   int
	Location string `header:"Location" doc:"With 202: where the outcome will be seen."`
	Replayed string `header:"Idempotency-Replayed" doc:"true when this key was used before."`
	Body     any    // ticketView with 200, acceptedView with 202
}

type acceptedView struct {
	Number  ticket.Number `json:"number"`
	Command int64         `json:"command" doc:"The command's number within the ticket."`
	Status  string        `json:"status" enum:"accepted"`
}

// ask handles a verb without a body.
func ask(verb ticket.Verb) func(*server, context.Context, *plainInput) (*commandOutput, error) {
	return func(s *server, ctx context.Context, in *plainInput) (*commandOutput, error) {
		return s.parse(ctx, in.Number, verb, nil, nil)
	}
}

// guarded handles a verb that takes no input but what its writer had seen.
func guarded(verb ticket.Verb) func(*server, context.Context, *readInput) (*commandOutput, error) {
	return func(s *server, ctx context.Context, in *readInput) (*commandOutput, error) {
		return s.parse(ctx, in.Number, verb, in.Body.values(), nil)
	}
}

// answering handles a verb whose input is a message to the other side.
func answering(verb ticket.Verb) func(*server, context.Context, *answerInput) (*commandOutput, error) {
	return func(s *server, ctx context.Context, in *answerInput) (*commandOutput, error) {
		return s.parse(ctx, in.Number, verb, in.Body.values(), nil)
	}
}

// withWords handles a verb whose input is a message.
func withWords(verb ticket.Verb) func(*server, context.Context, *wordsInput) (*commandOutput, error) {
	return func(s *server, ctx context.Context, in *wordsInput) (*commandOutput, error) {
		return s.parse(ctx, in.Number, verb, url.Values{"body": {in.Body.Body}}, nil)
	}
}

// reply is the requester's or the desk's, by who asks.
func (s *server) reply(ctx context.Context, in *answerInput) (*commandOutput, error) {
	verb := ticket.VerbCustomerReply
	if request.Of(ctx).Person.Role.Staff() {
		verb = ticket.VerbAgentReply
	}
	return s.parse(ctx, in.Number, verb, in.Body.values(), nil)
}

func (s *server) assign(ctx context.Context, in *assignInput) (*commandOutput, error) {
	return s.parse(ctx, in.Number, ticket.VerbAssign, in.Body.values(), nil)
}

func (s *server) acknowledge(ctx context.Context, in *acknowledgeInput) (*commandOutput, error) {
	values := url.Values{}
	if in.Body != nil {
		values.Set("reason", in.Body.Reason)
	}
	return s.parse(ctx, in.Number, ticket.VerbAcknowledge, values, nil)
}

func (s *server) reclassify(ctx context.Context, in *reclassifyInput) (*commandOutput, error) {
	values := url.Values{"priority": {string(in.Body.Priority)}, "category": {in.Body.Category}}
	return s.parse(ctx, in.Number, ticket.VerbReclassify, values, func(f *input.Fields, r desk.Request) {
		if r.Priority == "" && r.Category == "" {
			f.Reject("body", "names neither priority nor category")
		}
	})
}

func (s *server) resend(ctx context.Context, in *resendInput) (*commandOutput, error) {
	values := url.Values{"mail": {strconv.Itoa(in.N)}}
	if in.Body != nil {
		values.Set("address", in.Body.Address)
	}
	return s.parse(ctx, in.Number, ticket.VerbResend, values, nil)
}

// parse reads a command from a body's values by the registry, and asks for it. What check rejects is rejected, too.
func (s *server) parse(ctx context.Context, number string, verb ticket.Verb, values url.Values, check func(*input.Fields, desk.Request)) (*commandOutput, error) {
	var f input.Fields
	r := input.Command(&f, verb, values)
	if check != nil {
		check(&f, r)
	}
	if err := f.Err(); err != nil {
		return nil, err
	}
	return s.command(ctx, number, r)
}

// command renders what became of a command: 200 with the new state, 202 when the outcome is not known in time, and a
// refusal as a problem.
func (s *server) command(ctx context.Context, number string, r desk.Request) (*commandOutput, error) {
	v := request.Of(ctx)
	var err error
	if r.Number, err = s.number(number); err != nil {
		return nil, err
	}
	r.Once = v.Once
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

// refusal is a problem that says why a command was refused, and of what was not seen where it stands.
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
		request.Of(ctx).Failure = err // the refusal stands without the numbers
		return p
	}
	return fault.Refusal(o.Code, "%s", o.Reason)
}
