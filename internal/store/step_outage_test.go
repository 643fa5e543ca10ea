package store_test

import (
	"context"
	"net/url"
	"sync"
	"testing"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/proxytest"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// stepsWithFault takes steps, between whose reading and writing something happens.
type stepsWithFault struct {
	*store.Store
	happens func()
}

func (s stepsWithFault) StepTx(ctx context.Context, n ticket.Number, fn func(app.LockedTicket, app.StepTx) error) error {
	return s.Store.StepTx(ctx, n, func(l app.LockedTicket, tx app.StepTx) error {
		s.happens()
		return fn(l, tx)
	})
}

// endOfRequest is the message that ends a request of PostgreSQL's protocol, for which the server commits or answers.
const endOfRequest = "S\x00\x00\x00\x04"

func TestStep_whoseConnectionFailsIsTakenOnce(t *testing.T) {
	direct := pgtest.Template(t, "store", store.Migrate)
	where, err := url.Parse(direct)
	if err != nil {
		t.Fatal(err)
	}
	proxy := proxytest.Start(t, where.Host)
	where.Host = proxy.Addr()
	d := staffedWith(t, where.String(), string(policy.Holesalemart()), store.Options{MaxConns: 1})
	d.beside = connect(t, direct) // not by the proxy
	for name, c := range map[string]struct {
		fault   func()
		decided bool
	}{
		"between reading and writing":      {proxy.Cut, false},
		"after the commit was carried out": {func() { proxy.LoseAnswers(endOfRequest) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			n := d.taken(d.customer)
			a := d.ask(d.agent, desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: "It is on its way."})
			r := ticket.StepRequest{Number: n, Command: a.Seq}
			_, err := app.NewSteps(stepsWithFault{d.Store, c.fault}, app.MaxCommands).Step(t.Context(), r)
			wantKind(t, err, fault.Unavailable)
			proxy.Heal()
			if got := one[bool](d, `SELECT EXISTS (SELECT FROM outcomes WHERE ticket = $1 AND seq = $2)`, n, a.Seq); got != c.decided {
				t.Errorf("decided: %v, want %v", got, c.decided)
			}
			for range 2 {
				if result := d.step(r); len(result.Owed) != 2 || result.Digest.Command != a.Seq {
					t.Errorf("the step again: %+v", result.StepResult)
				}
			}
			d.consistent(n)
		})
	}
}

// A step that fails leaves nothing behind: its transaction is rolled back, and its connection can be used again.
func TestStep_thatFailsReturnsItsConnection(t *testing.T) {
	direct := pgtest.Template(t, "store", store.Migrate)
	d := staffedWith(t, direct+"&application_name=store", string(policy.Holesalemart()), store.Options{MaxConns: 1})
	d.beside.Close()
	d.beside = connect(t, direct)
	const connection = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'store'`
	n := d.taken(d.customer)
	d.sql(`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not now' USING ERRCODE = 'object_in_use'; END $$`)
	for name, c := range map[string]struct {
		number ticket.Number
		table  string // that refuses rows
		kind   fault.Kind
	}{
		"it finds no ticket":             {ticket.NewNumber("HM"), "", fault.NotFound},
		"a statement of its write fails": {n, "outcomes", fault.Internal},
		"its commit fails":               {n, "events", fault.Internal},
	} {
		t.Run(name, func(t *testing.T) {
			a := d.ask(d.agent, desk.Request{Number: n, Verb: ticket.VerbNote, Body: "."})
			if c.table != "" {
				d.sql(`CREATE CONSTRAINT TRIGGER refused AFTER INSERT ON ` + c.table + ` DEFERRABLE INITIALLY ` +
					map[string]string{"outcomes": "IMMEDIATE", "events": "DEFERRED"}[c.table] + ` FOR EACH ROW EXECUTE FUNCTION refuse()`)
			}
			before := one[int](d, connection)
			_, err := d.Step(t.Context(), ticket.StepRequest{Number: c.number, Command: a.Seq})
			wantKind(t, err, c.kind)
			if after := one[int](d, connection); after != before {
				t.Errorf("the store's connection was %d and is %d", before, after)
			}
			if c.table != "" {
				d.sql(`DROP TRIGGER refused ON ` + c.table)
			}
			d.step(ticket.StepRequest{Number: n, Command: a.Seq})
			d.consistent(n)
		})
	}
}

// TestStep_isTakenOnceByAServerThatDies kills PostgreSQL while steps are read, written and committed.
func TestStep_isTakenOnceByAServerThatDies(t *testing.T) {
	server := pgtest.Cluster(t)
	dsn := server.Database(t)
	if err := store.Migrate(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	d := staffed(t, dsn, string(policy.Holesalemart()))
	const tickets, commands, kills = 8, 12, 3
	var numbers []ticket.Number
	for range tickets {
		n := d.taken(d.customer)
		for range commands {
			d.ask(d.agent, desk.Request{Number: n, Verb: ticket.VerbNote, Body: "."})
		}
		numbers = append(numbers, n)
	}
	step := func(n ticket.Number, seq int64) {
		if _, err := eventually(t, func() (ticket.StepResult, error) {
			return d.Step(t.Context(), ticket.StepRequest{Number: n, Command: seq})
		}); err != nil {
			t.Errorf("step of command %d: %v", seq, err)
		}
	}
	for round := range kills {
		var steps sync.WaitGroup
		begun := make(chan struct{}, tickets*commands)
		first := int64(2 + round*commands/kills)
		for _, n := range numbers {
			steps.Go(func() {
				for seq := first; seq < first+commands/kills; seq++ {
					step(n, seq)
					begun <- struct{}{}
				}
			})
		}
		for range tickets {
			<-begun
		}
		server.Kill()
		server.Restart()
		steps.Wait()
	}
	for _, n := range numbers {
		step(n, 1+commands)
		d.consistent(n)
	}
}
