package api

import (
	"context"
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

func (s *server) dryRunAdoption(ctx context.Context, in *adoptionInput) (view adoptionDryRun, err error) {
	choice, err := in.choice()
	if err != nil {
		return view, err
	}
	run, err := s.Policies.DryRun(ctx, in.Version, choice, time.Now())
	return adoptionDryRun{
		Tickets: run.Tickets, Earlier: run.Earlier, Later: run.Later, DueAtOnce: run.DueAtOnce, Mails: run.Mails,
		Moves: viewEach(run.Moves, viewMove), Refused: viewEach(run.Unmoved, viewNotAdopted),
	}, err
}

func viewMove(m desk.AdoptionMove) moveView {
	return moveView{Number: m.Number, FromVersion: m.From, Promises: viewEach(m.Promises, func(p desk.PromiseMove) promiseMoveView {
		return promiseMoveView{p.Clock, instantOrNull(p.Was), instantOrNull(p.Is), p.DueAtOnce}
	})}
}

func (s *server) adoptPolicy(ctx context.Context, in *adoptionInput) (*adoptionOutput, error) {
	choice, err := in.choice()
	if err != nil {
		return nil, err
	}
	v := request.Of(ctx)
	adoption, err := s.Policies.Adopt(ctx, v.Person, in.Version, choice, v.IdempotencyKey)
	out := &adoptionOutput{Replayed: replayed(adoption.Again)}
	out.Body.Refused = viewEach(adoption.Unmoved, viewNotAdopted)
	out.Body.Accepted = viewEach(adoption.Accepted, func(a desk.Adopted) adoptedView { return adoptedView{a.Number, a.Seq} })
	return out, err
}

func (s *server) readAdoption(ctx context.Context, in *versionInput) (*auditOutput, error) {
	audit, err := s.Policies.Audit(ctx, in.Version)
	out := &auditOutput{}
	out.Body.Granted, out.Body.Refused, out.Body.Undecided = audit.Granted, audit.Refused, audit.Undecided
	out.Body.Latest = viewEach(audit.Latest, func(l desk.AdoptionLine) auditLine {
		return auditLine{l.Number, l.At.UTC(), l.By, l.From, l.Decided, l.Code, l.Reason}
	})
	return out, err
}

func viewNotAdopted(u desk.NotAdopted) notAdoptedView { return notAdoptedView(u) }

// instantOrNull returns t in UTC, or nil for the zero time, which JSON shows as null.
func instantOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}
