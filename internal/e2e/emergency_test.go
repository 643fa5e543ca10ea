package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

// brief breaks its first promise about when a fan-out is under way.
const brief = `
name: Brief policy of a test
contact: desk@demo.example
time_zone: UTC
clocks:
  first_response: {target: 30s, counts: calendar}
  resolution: {target: 1h, counts: calendar, pauses: [waiting, resolved]}
escalation:
  - {after: 0s, tell: [supervisors]}
`

// pool is PostgreSQL itself.
func (s *stack) pool() *pgxpool.Pool {
	s.t.Helper()
	var dsn string
	for _, line := range s.env {
		if value, is := strings.CutPrefix(line, "SUPPORTDESK_DATABASE_URL="); is {
			dsn = value
		}
	}
	pool, err := pgxpool.New(context.Background(), dsn)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(pool.Close)
	return pool
}

// count asks PostgreSQL for a number, however often it is away.
func (s *stack) count(pool *pgxpool.Pool, sql string, args ...any) (n int, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err = pool.QueryRow(ctx, sql, args...).Scan(&n)
	return n, err
}

// awaitCount waits until a number is within bounds.
func (s *stack) awaitCount(pool *pgxpool.Pool, what string, least, most int, sql string, args ...any) int {
	s.t.Helper()
	var n int
	eventually(s.t, what, func() (bool, string) {
		var err error
		n, err = s.count(pool, sql, args...)
		return err == nil && n >= least && n <= most, fmt.Sprint(n, err)
	})
	return n
}

// awaitGrowth waits for a number to be reached, for as long as it grows.
func (s *stack) awaitGrowth(pool *pgxpool.Pool, what string, want int, sql string, args ...any) {
	s.t.Helper()
	steadily(s.t, what, int64(want), func() (int64, error) {
		n, err := s.count(pool, sql, args...)
		return int64(n), err
	})
}

// steadily waits for a number to be reached. It fails when the number hasn't grown for the time that anything may take.
func steadily(t testing.TB, what string, want int64, look func() (int64, error)) {
	t.Helper()
	best, since := int64(-1), time.Now()
	for {
		n, err := look()
		switch {
		case err == nil && n >= want:
			return
		case err == nil && n > best:
			best, since = n, time.Now()
		case time.Since(since) > patience:
			t.Fatalf("%s: stuck at %d of %d, %v", what, n, want, err)
		}
		time.Sleep(50 * time.Millisecond) // between looks, not instead of one
	}
}

// command signals the workflow Emergency as a person in Temporal UI does.
func (s *stack) command(name string, payload any) {
	s.t.Helper()
	eventually(s.t, name+" is heard", func() (bool, string) {
		err := s.temporalClient().SignalWorkflow(context.Background(), workflows.EmergencyID, "", name, payload)
		return err == nil, fmt.Sprint(err)
	})
}

// awaitVerified waits until the fan-out of the newest transition is verified, and returns the transition.
func (s *stack) awaitVerified(verb ticket.Verb) ticket.Transition {
	s.t.Helper()
	var transition ticket.Transition
	eventually(s.t, fmt.Sprint("every open ticket knows of ", verb), func() (bool, string) {
		report, err := s.emergency()
		transition = report.Fanout.Transition
		return err == nil && transition.Verb == verb && !report.Fanout.DoneAt.IsZero(), fmt.Sprintf("%+v %v", report, err)
	})
	return transition
}

func (s *stack) emergency() (report workflows.EmergencyReport, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	value, err := s.temporalClient().QueryWorkflow(ctx, workflows.EmergencyID, "", workflows.EmergencyQuery)
	if err == nil {
		err = value.Get(&report)
	}
	return report, err
}

// fill submits tickets and waits until each has its first step.
func (s *stack) fill(pool *pgxpool.Pool, tickets int) {
	s.t.Helper()
	var rush sync.WaitGroup
	const clients = 8
	for c := range clients {
		rush.Go(func() {
			for i := c; i < tickets; i += clients {
				s.customer.submit("Emergency", "words")
			}
		})
	}
	rush.Wait()
	s.awaitGrowth(pool, "every ticket is taken", tickets, `SELECT count(*) FROM tickets WHERE taken > 0`)
}

// checkHeld counts the open tickets that are not as they should be.
func (s *stack) checkHeld(pool *pgxpool.Pool, held bool, transition ticket.Transition) {
	s.t.Helper()
	n, err := s.count(pool, `SELECT count(*) FROM tickets WHERE status <> 'closed' AND (transitions_until < $1 OR (paused_by IS NOT NULL) <> $2
		OR $2 AND next_due < 'infinity')`, transition.At, held)
	if n != 0 || err != nil {
		s.t.Errorf("%d open tickets are not as %s wants them, %v", n, transition.Verb, err)
	}
}

func TestEmergency_endsExactlyWhileEveryWorkerIsDown(t *testing.T) {
	const tickets = 40
	s := start(t, brief)
	pool := s.pool()
	s.fill(pool, tickets)
	s.command("declare", map[string]any{
		"kind": "closed", "until": time.Now().Add(15 * time.Second).UTC().Truncate(time.Second).Format(time.RFC3339),
	})
	from := s.awaitVerified(ticket.VerbEmergencyPause)
	s.checkHeld(pool, true, from)
	s.worker.kill()
	s.awaitCount(pool, "the end passes", 1, 1, `SELECT count(*) FROM emergencies WHERE ends_at < clock_timestamp()`)
	s.customer.submit("After it", "words") // is none of the emergency's business
	s.worker.start()
	until := s.awaitVerified(ticket.VerbEmergencyResume)
	s.checkHeld(pool, false, until)
	if n, err := s.count(pool, `SELECT count(*) FROM tickets WHERE submitted_at >= $1`, until.At); n != 1 || err != nil {
		t.Errorf("%d tickets came after it, %v", n, err)
	}
	n, err := s.count(pool, `SELECT count(*) FROM events WHERE kind = 'resumed' AND at = $1`, until.At)
	if n != tickets || err != nil {
		t.Errorf("%d of %d tickets went on at the end's own second, %v", n, tickets, err)
	}
}

func TestEmergency_aTicketThatTemporalLostIsStartedAndAClosedOneIsNoFailure(t *testing.T) {
	t.Parallel()
	s := start(t, brief)
	pool := s.pool()
	s.fill(pool, 5)
	lost := s.customer.submit("Lost", "words")
	s.agent.awaitStatus(lost, "new")
	done := s.customer.submit("Done", "words")
	s.customer.do(done, "withdrawal", nil)
	if err := s.temporalClient().TerminateWorkflow(t.Context(), lost, "", "by mistake"); err != nil {
		t.Fatal(err)
	}
	if err := s.temporalClient().TerminateWorkflow(t.Context(), workflows.EmergencyID, "", "by mistake"); err != nil {
		t.Fatal(err)
	}
	s.worker.stop()
	s.worker.start()
	s.command("declare", map[string]any{"kind": "closed"})
	s.checkHeld(pool, true, s.awaitVerified(ticket.VerbEmergencyPause))
	s.command("declare", map[string]any{"kind": "shut"})
	s.command("extend", map[string]any{"untill": "2030-01-01T00:00:00Z"})
	s.command("cancel", nil)
	eventually(t, "what makes no sense is refused in view", func() (bool, string) {
		report, err := s.emergency()
		refused := 0
		for _, l := range report.Outcomes {
			if l.Refused != "" {
				refused++
			}
		}
		return refused == 3, fmt.Sprintf("%+v %v", report.Outcomes, err)
	})
	s.checkHeld(pool, true, s.awaitVerified(ticket.VerbEmergencyPause))
}
