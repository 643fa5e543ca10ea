package api_test

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"testing"

	"github.com/holesalemart/supportdesk/api"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// office is the API on the real store. A clerk stands where the workflows are: it takes every command as soon as it
// is accepted, by the same step.
type office struct {
	http.Handler
	t      testing.TB
	store  *store.Store
	clerk  *clerk
	tokens map[string]string
}

func openOffice(t *testing.T) *office {
	t.Helper()
	s, err := store.Open(t.Context(), pgtest.Template(t, "api", store.Migrate), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if _, _, err := s.PublishPolicy(t.Context(), policy.Holesalemart(), "a test", "to begin with"); err != nil {
		t.Fatal(err)
	}
	o := &office{t: t, store: s, tokens: map[string]string{}}
	o.hire("clara", ticket.RoleCustomer, "Clara Customer")
	o.hire("carl", ticket.RoleCustomer, "Carl Other")
	o.hire("anna", ticket.RoleAgent, "Anna Agent")
	o.hire("sam", ticket.RoleSupervisor, "Sam Supervisor")
	outcomes := store.NewOutcomes(s, slog.New(slog.DiscardHandler))
	o.clerk = &clerk{store: s, bell: make(chan struct{}, 1)}
	o.keep(outcomes.Run)
	o.keep(o.clerk.run)
	o.Handler, err = api.New(api.Config{
		Desk: desk.New(s, s, s, outcomes, o.clerk), People: s, Log: slog.New(slog.DiscardHandler),
		Ready: []api.Check{{Name: "postgresql", Ask: s.Ready}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// keep runs something until the test ends.
func (o *office) keep(run func(context.Context) error) {
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := run(ctx); err != nil {
			o.t.Error(err)
		}
	})
	o.t.Cleanup(func() { stop(); running.Wait() })
}

func (o *office) hire(handle string, role ticket.Role, name string) {
	o.t.Helper()
	p := desk.Person{Role: role, Name: name, Address: handle + "@example.com"}
	if role.Staff() {
		p.Handle = handle
	}
	p, err := o.store.AddPerson(o.t.Context(), p)
	if err != nil {
		o.t.Fatal(err)
	}
	if o.tokens[handle], err = o.store.IssueToken(o.t.Context(), p.ID, "test"); err != nil {
		o.t.Fatal(err)
	}
}

// do asks as one of the office's people, and insists on a status.
func (o *office) do(who string, status int, method, path, body string) answer {
	o.t.Helper()
	a := do(o.t, o, call{method: method, path: path, as: o.tokens[who], body: body})
	if a.Code != status {
		o.t.Fatalf("%s %s as %s: %d %s, want %d", method, path, who, a.Code, a.Body, status)
	}
	return a
}

// submit gives the path of a new ticket.
func (o *office) submit(who, body string) string {
	o.t.Helper()
	return o.do(who, 201, "POST", "/api/v1/tickets", body).Header().Get("Location")
}

type clerk struct {
	store *store.Store
	bell  chan struct{}
	away  sync.Mutex // held while the clerk is out
}

// Wake never waits: one ring is enough for whatever is there.
func (c *clerk) Wake() {
	select {
	case c.bell <- struct{}{}:
	default:
	}
}

func (c *clerk) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.bell:
		}
		for left := 1; left > 0; { // a command waits for its ticket's submission to be delivered first
			c.away.Lock()
			handed, err := c.store.Undelivered(ctx, 100, 100, c.take)
			c.away.Unlock()
			if err != nil && ctx.Err() == nil {
				return err
			}
			left = handed
		}
	}
}

func (c *clerk) take(ctx context.Context, all []desk.Delivery) ([]desk.Delivery, error) {
	for _, d := range all {
		if _, err := c.store.Step(ctx, ticket.StepRequest{Number: d.Number, Command: d.Command.Seq}); err != nil {
			return nil, err
		}
	}
	return all, nil
}
