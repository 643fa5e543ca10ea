package desktest

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"

	"github.com/holesalemart/supportdesk/activities"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/temporaltest"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/worker"
	"github.com/holesalemart/supportdesk/workflows"
)

// awaitTimeout is how long a test waits for a condition.
const awaitTimeout = 2 * time.Minute

// maxImmediate is how many mails a worker tries within workflow tasks at once.
const maxImmediate = 8

// Site is a desk with a Temporal server of its own.
type Site struct {
	*Desk
	Server   *temporaltest.Server
	Temporal *dispatch.Temporal

	t       testing.TB
	sendNow bool
}

// NewSite starts a server that is stopped when the test ends, and registers the search attributes. It starts no worker.
func NewSite(t testing.TB, p *policy.Policy) *Site {
	t.Helper()
	s := &Site{Desk: New(p, time.Now), Server: temporaltest.Start(t), t: t}
	var err error
	s.Temporal, err = dispatch.Connect(dispatch.Options{
		Address: s.Server.HostPort, Namespace: client.DefaultNamespace, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(s.Temporal.Close)
	if err := dispatch.RegisterAttributes(t.Context(), s.Temporal.Client, client.DefaultNamespace); err != nil {
		t.Fatalf("register the search attributes: %v", err)
	}
	return s
}

// SendMailsNow has workers that are started from now on try mails within the workflow task of the step that causes them.
func (s *Site) SendMailsNow() { s.sendNow = true }

// Work starts a worker. stop stops it and waits for its end; it may be called again.
func (s *Site) Work() (stop func()) { return s.work(s.Temporal.Client) }

// WorkAs starts a worker with an interceptor, which stands for a worker with other code.
func (s *Site) WorkAs(code interceptor.Interceptor) (stop func()) {
	s.t.Helper()
	c, err := client.DialContext(s.t.Context(), client.Options{
		HostPort: s.Server.HostPort, Logger: log.NewStructuredLogger(slog.New(slog.DiscardHandler)),
		Interceptors: []interceptor.ClientInterceptor{code},
	})
	s.Check(err)
	s.t.Cleanup(c.Close)
	return s.work(c)
}

func (s *Site) work(c client.Client) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.t.Context()))
	ended := make(chan error, 1)
	var immediate *activities.ImmediateMails
	if s.sendNow {
		immediate = activities.NewImmediateMails(s.Desk, maxImmediate, func(context.Context, bool) (bool, error) { return true, nil })
	}
	go func() {
		ended <- worker.Run(ctx, c, worker.Activities{
			Steps: activities.NewSteps(s.Desk, immediate), Immediate: immediate,
			Mails: activities.NewMails(s.Desk, time.Second), Webhooks: activities.NewWebhooks(s.Desk),
		}, worker.Options{MailPerSecond: 10_000})
		close(ended)
	}()
	stop = func() {
		cancel()
		if err := <-ended; err != nil {
			s.t.Errorf("worker: %v", err)
		}
	}
	s.t.Cleanup(stop)
	return stop
}

// Check ends the test if err is not nil.
func (s *Site) Check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// Tell delivers an accepted command to the ticket's workflow.
func (s *Site) Tell(n ticket.Number, c ticket.Command) {
	s.t.Helper()
	delivery := desk.AcceptedCommand{Number: n, Command: c}
	if expected, ok := s.expected(n, c); ok {
		delivery.Expected = &expected
	}
	err := dispatch.New(s.Temporal.Client, dispatch.Pages{}).Deliver(s.t.Context(), delivery)
	if err != nil {
		s.t.Fatalf("deliver: %v", err)
	}
}

// Ask accepts and delivers a command, and waits until it is decided.
func (s *Site) Ask(n ticket.Number, c ticket.Command) {
	s.t.Helper()
	c = s.Accept(n, c)
	s.Tell(n, c)
	s.Await("the command's outcome", func() bool { return s.State(n).Command >= c.Seq })
}

// Ended waits until a ticket's workflow has completed.
func (s *Site) Ended(n ticket.Number) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), awaitTimeout)
	defer cancel()
	if err := s.Temporal.GetWorkflow(ctx, workflows.TicketID(n), "").Get(ctx, nil); err != nil {
		s.t.Fatalf("the workflow of %s: %v", n, err)
	}
}

// Await waits until so returns true. what names the condition in the failure.
func (s *Site) Await(what string, so func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeoutCause(s.t.Context(), awaitTimeout, errors.New("too late"))
	defer cancel()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for !so() {
		select {
		case <-ctx.Done():
			s.t.Fatalf("waiting for %s: %v", what, context.Cause(ctx))
		case <-look.C:
		}
	}
}

// Happened reports whether a ticket's timeline has at least times events of a kind.
func (s *Site) Happened(n ticket.Number, kind ticket.EventKind, times int) bool {
	for _, e := range s.Events(n) {
		if e.Kind == kind {
			times--
		}
	}
	return times <= 0
}
