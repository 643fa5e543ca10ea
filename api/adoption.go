package api

import (
	"context"
	"strconv"
	"time"

	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

type adoptionInput struct {
	Version int64 `path:"version" minimum:"1"`
	Body    struct {
		Tickets     []string `json:"tickets,omitempty" nullable:"false" doc:"Ticket numbers, 1000 at most."`
		FromVersion int64    `json:"from_version,omitempty" doc:"Instead of tickets: all open tickets under this version."`
	}
}

func (in *adoptionInput) choice() (desk.TicketChoice, error) {
	c := desk.TicketChoice{From: in.Body.FromVersion}
	for _, text := range in.Body.Tickets {
		n, err := ticket.ParseNumber(text)
		if err != nil {
			return c, fault.Field("tickets", "%.40q is not a ticket number", text)
		}
		c.Tickets = append(c.Tickets, n)
	}
	return c, nil
}

type notAdoptedView struct {
	Number ticket.Number `json:"number"`
	Code   string        `json:"code"`
	Reason string        `json:"reason"`
}

type adoptionDryRunOutput struct{ Body adoptionDryRun }

type adoptionDryRun struct {
	Tickets   int              `json:"tickets" doc:"Tickets that would be moved."`
	Earlier   int              `json:"earlier" doc:"Targets that would be due earlier."`
	Later     int              `json:"later" doc:"Targets that would be due later."`
	DueAtOnce int              `json:"due_at_once" doc:"Targets that the move itself would breach."`
	Mails     int              `json:"mails" doc:"Emails to requesters whose deadlines change."`
	Moves     []moveView       `json:"moves" doc:"The first 100 tickets."`
	Refused   []notAdoptedView `json:"refused"`
}

type moveView struct {
	Number      ticket.Number     `json:"number"`
	FromVersion int64             `json:"from_version"`
	Promises    []promiseMoveView `json:"promises" doc:"Targets whose deadline changes."`
}

type promiseMoveView struct {
	Promise   policy.ClockName `json:"promise"`
	Was       *time.Time       `json:"before" doc:"null: the clock is paused."`
	Is        *time.Time       `json:"after"`
	DueAtOnce bool             `json:"due_at_once,omitempty"`
}

type adoptionOutput struct {
	Replayed string `header:"Idempotency-Replayed" doc:"true if the idempotency key was used before."`
	Body     struct {
		Accepted []adoptedView    `json:"accepted" doc:"Commands that were accepted. Each ticket's workflow decides on its own."`
		Refused  []notAdoptedView `json:"refused"`
	}
}

type adoptedView struct {
	Number  ticket.Number `json:"number"`
	Command int64         `json:"command"`
}

type auditOutput struct {
	Body struct {
		Granted   int         `json:"granted"`
		Refused   int         `json:"refused"`
		Undecided int         `json:"undecided"`
		Latest    []auditLine `json:"latest"`
	}
}

type auditLine struct {
	Number      ticket.Number `json:"number"`
	At          time.Time     `json:"at"`
	By          string        `json:"by"`
	FromVersion int64         `json:"from_version,omitempty"`
	Decided     bool          `json:"decided"`
	Code        string        `json:"code,omitempty" doc:"Why it was refused, as a stable code."`
	Reason      string        `json:"reason,omitempty"`
}

func (s *server) dryRunAdoption(ctx context.Context, in *adoptionInput) (*adoptionDryRunOutput, error) {
	policies, err := s.policies()
	if err != nil {
		return nil, err
	}
	choice, err := in.choice()
	if err != nil {
		return nil, err
	}
	run, err := policies.DryRun(ctx, in.Version, choice, time.Now())
	if err != nil {
		return nil, err
	}
	view := adoptionDryRun{
		Tickets: run.Tickets, Earlier: run.Earlier, Later: run.Later, DueAtOnce: run.DueAtOnce, Mails: run.Mails,
		Moves: []moveView{}, Refused: viewNotAdopted(run.Unmoved),
	}
	for _, m := range run.Moves {
		move := moveView{Number: m.Number, FromVersion: m.From, Promises: []promiseMoveView{}}
		for _, p := range m.Promises {
			move.Promises = append(move.Promises, promiseMoveView{p.Clock, instantOrNull(p.Was), instantOrNull(p.Is), p.DueAtOnce})
		}
		view.Moves = append(view.Moves, move)
	}
	return &adoptionDryRunOutput{view}, nil
}

func (s *server) adoptPolicy(ctx context.Context, in *adoptionInput) (*adoptionOutput, error) {
	policies, err := s.policies()
	if err != nil {
		return nil, err
	}
	choice, err := in.choice()
	if err != nil {
		return nil, err
	}
	v := request.Of(ctx)
	adoption, err := policies.Adopt(ctx, v.Person, in.Version, choice, v.IdempotencyKey)
	if err != nil {
		return nil, err
	}
	out := &adoptionOutput{Replayed: replayed(adoption.Again)}
	out.Body.Accepted, out.Body.Refused = []adoptedView{}, viewNotAdopted(adoption.Unmoved)
	for _, a := range adoption.Accepted {
		out.Body.Accepted = append(out.Body.Accepted, adoptedView{a.Number, a.Seq})
	}
	return out, nil
}

func (s *server) readAdoption(ctx context.Context, in *versionInput) (*auditOutput, error) {
	policies, err := s.policies()
	if err != nil {
		return nil, err
	}
	audit, err := policies.Audit(ctx, in.Version)
	if err != nil {
		return nil, err
	}
	out := &auditOutput{}
	out.Body.Granted, out.Body.Refused, out.Body.Undecided = audit.Granted, audit.Refused, audit.Undecided
	out.Body.Latest = []auditLine{}
	for _, l := range audit.Latest {
		out.Body.Latest = append(out.Body.Latest, auditLine{l.Number, l.At.UTC(), l.By, l.From, l.Decided, l.Code, l.Reason})
	}
	return out, nil
}

func viewNotAdopted(unmoved []desk.NotAdopted) []notAdoptedView {
	views := []notAdoptedView{}
	for _, u := range unmoved {
		views = append(views, notAdoptedView(u))
	}
	return views
}

// instantOrNull returns t in UTC, or nil for the zero time, which JSON shows as null.
func instantOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
