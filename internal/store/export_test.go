package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
)

// ScheduleLock lets tests hold the lock.
const ScheduleLock = scheduleLock

// Bound lets tests inspect a connection.
var Bound = setTimeouts

// The queries of the reconciler, for a test of their plans.
const (
	OverdueQuery      = overdueQuery
	WithWorkflowQuery = keptQuery
	HealthyQuery      = healthyQuery
)

// StaffQuery lists the staff with their load.
const StaffQuery = staffQuery

// WorkloadQueries are the queries of a Workload that read tables which grow, with their arguments.
func WorkloadQueries() map[string][]any {
	queries := map[string][]any{owedQuery: {desk.MostCounted, desk.DeliveryAges[:]}}
	for _, q := range workloadQueries(&desk.Workload{}) {
		queries[q.sql] = q.args
	}
	return queries
}

// NotifyStatement is what a notifier sends.
const NotifyStatement = notifyStatement

// Traced returns options with a tracer of what is sent to PostgreSQL.
func (o Options) Traced(t pgx.QueryTracer) Options {
	o.tracer = t
	return o
}

// Listening reports whether notifications come.
func (o *Outcomes) Listening() bool { return o.listening.Load() }

// SettleAfter sets Options.Settle.
func (s *Store) SettleAfter(d time.Duration) { s.settle = d }

// Gathered returns how many submissions wait for a statement.
func (s *Store) Gathered() int { return s.submissions.Waiting() }

// MailsGathered returns how many incoming mails wait for a statement.
func (s *Store) MailsGathered() int { return s.mails.Waiting() }

// NotSubmitted returns why no statement accepted a submission.
func (s *Store) NotSubmitted(ctx context.Context, by desk.Person, sub desk.Submission) error {
	u, err := s.use(ctx, by, account.TicketLimit(by))
	if err != nil {
		return err
	}
	_, err = s.notSubmitted(ctx, by, sub, u)
	return err
}

// Setting returns the value of a setting in the store's sessions, and what set it.
func (s *Store) Setting(ctx context.Context, name string) (value, source string, err error) {
	err = s.pool.QueryRow(ctx, `SELECT setting, source FROM pg_settings WHERE name = $1`, name).Scan(&value, &source)
	return value, source, err
}
