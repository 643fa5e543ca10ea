package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"

	"github.com/holesalemart/supportdesk/internal/mailtest"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

// signal stops the program, or lets it go on.
func (p *part) signal(signal syscall.Signal) {
	p.stack.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := syscall.Kill(p.process.PID(), signal); err != nil {
		p.stack.t.Fatal(err)
	}
}

// A process that is frozen, under load, leaves nothing undelivered or undecided that its twin could do.
func TestFreeze_theTwinTakesOverAndNothingIsLostOrDoubled(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"api", "worker"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t, "")
			pool := s.pool()
			twin := s.program(name, "SUPPORTDESK_HTTP_ADDRESS="+freeAddress(t))
			twin.start()
			frozen := map[string]*part{"api": s.api, "worker": s.worker}[name]
			l := &ledger{tickets: map[string]string{}, replies: map[string][]string{}}
			var stop atomic.Bool
			clients := s.load(&stop, l)
			for round := range 3 {
				s.awaitAcknowledged(l, 15*(round+1))
				frozen.signal(syscall.SIGSTOP)
				stood := time.Now()
				known, err := s.count(pool, `SELECT count(*) FROM tickets`)
				if err != nil {
					t.Fatal(err)
				}
				s.awaitCount(pool, "everything accepted is decided", known, known, `SELECT count(*) FROM (
					SELECT FROM tickets WHERE taken > 0 ORDER BY submitted_at LIMIT $1) taken`, known)
				t.Logf("decided %s after the %s was frozen", time.Since(stood).Round(time.Millisecond), name)
				frozen.signal(syscall.SIGCONT)
			}
			s.awaitAcknowledged(l, 60)
			stop.Store(true)
			clients.Wait()
			s.checkLedger(l, name == "worker")
			if n, err := s.count(pool, `SELECT count(*) FROM undelivered`); n != 0 || err != nil {
				t.Errorf("%d commands count as undecided, %v", n, err)
			}
		})
	}
}

// One ticket whose step the database refuses keeps no one else from hearing of an emergency.
func TestEmergency_aTicketThatCannotTakeStepsDelaysOnlyItsOwnRequester(t *testing.T) {
	t.Parallel()
	s := start(t, brief)
	pool := s.pool()
	s.fill(pool, 3)
	stuck := s.other.submit("Stuck", "words")
	s.awaitGrowth(pool, "it is taken", 4, `SELECT count(*) FROM tickets WHERE taken > 0`)
	for _, sql := range []string{
		`CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = 'insufficient_resources'; END $$`,
		`CREATE TRIGGER refuse BEFORE UPDATE OF transitions_until ON tickets FOR EACH ROW WHEN (NEW.number = '` + stuck + `') EXECUTE FUNCTION refuse()`,
	} {
		if _, err := pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	s.command("declare", map[string]any{"kind": "closed"})
	var transition ticket.Transition
	eventually(t, "only one is behind", func() (bool, string) {
		report, err := s.emergency()
		transition = report.Fanout.Transition
		return err == nil && !transition.At.IsZero() && report.Fanout.Check.Left() == 1, fmt.Sprintf("%+v, %v", report.Fanout, err)
	})
	s.waitedAlready(transition)
	if _, err := pool.Exec(t.Context(), `UPDATE fanouts SET began_at = began_at - interval '3 minutes'`); err != nil {
		t.Fatal(err)
	}
	closedMailTo := func(address string) func(mailtest.Message) bool {
		return func(m mailtest.Message) bool {
			return slices.Contains(m.To, address) && strings.HasPrefix(m.Subject, "Our support is closed")
		}
	}
	s.mails.Wait(t, closedMailTo("customer@demo.example"))
	eventually(t, "the ticket is named", func() (bool, string) {
		report, err := s.emergency()
		return err == nil && report.Fanout.Round > 1 && slices.Equal(report.Fanout.Check.Late, []ticket.Number{ticket.Number(stuck)}), fmt.Sprintf("%+v, %v", report, err)
	})
	var current struct {
		Fanout struct {
			Late []string `json:"late"`
		} `json:"fanout"`
	}
	if err := s.supervisor.must(http.StatusOK, http.MethodGet, "/emergencies/current", nil).into(&current); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(current.Fanout.Late, []string{stuck}) {
		t.Errorf("the API names %v", current.Fanout.Late)
	}
	if n, err := s.count(pool, `SELECT count(*) FROM deliveries m WHERE m.queue = 'announcement' AND status = 'held'`); n != 1 || err != nil {
		t.Errorf("%d mails are held back, %v", n, err)
	}
	if _, err := pool.Exec(t.Context(), `DROP TRIGGER refuse ON tickets`); err != nil {
		t.Fatal(err)
	}
	s.mails.Wait(t, closedMailTo("other@demo.example"))
	s.checkHeld(pool, true, s.awaitVerified(ticket.VerbEmergencyPause))
	for _, address := range []string{"customer@demo.example", "other@demo.example"} {
		if n := len(slices.DeleteFunc(s.mails.Messages(), func(m mailtest.Message) bool { return !closedMailTo(address)(m) })); n != 1 {
			t.Errorf("%s was notified %d times", address, n)
		}
	}
}

// waitedAlready has the workflow Emergency begin again where it is, three minutes into the fan-out.
func (s *stack) waitedAlready(transition ticket.Transition) {
	s.t.Helper()
	eventually(s.t, "the workflow goes on as if time had passed", func() (bool, string) {
		_, err := s.temporalClient().ExecuteWorkflow(context.Background(), client.StartWorkflowOptions{
			ID: workflows.EmergencyID, TaskQueue: workflows.EmergencyQueue,
			WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING,
		}, workflows.EmergencyWorkflow, workflows.EmergencyStart{
			Fanout: workflows.Fanout{Transition: transition, Began: time.Now().Add(-3 * time.Minute)},
		})
		return err == nil, fmt.Sprint(err)
	})
}
