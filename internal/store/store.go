// Package store keeps the desk's data in PostgreSQL: tickets with their messages, commands and timelines, people, policies,
// emergencies and deliveries. Acceptance writes a message and a numbered command; a step is the only writer of a ticket's
// state. What a step does is decided by internal/app, for which the store implements the transaction. Invariants of state
// are constraints in the schema too.
//
// The package knows no HTTP, no Temporal and no SMTP. It starts no goroutine that outlives a call except for a write probe,
// which is bounded and which Close waits for.
package store

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgtype/zeronull"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holesalemart/supportdesk/internal/batch"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Options tunes a Store; the zero value is usable.
type Options struct {
	NumberPrefix string          // of tickets submitted without a number; empty means "HM"
	MaxConns     int32           // the most connections; 0 means 16
	Allowances   int             // multiplies the rate limits of internal/account; 0 means no limit
	Files        desk.FileLimits // the zero value means desk.DefaultFileLimits
	// Settle is how long an emergency's announcement mails wait after its last change: another change until then
	// supersedes them.
	Settle time.Duration
	Own    func(address string) bool // reports whether an address is the desk's, and so no person's; nil: none is
	// LockTimeout is how long a statement may wait for a lock before it fails as Unavailable; 0: as long as it takes.
	LockTimeout time.Duration
	// Trace returns the trace of a context, which is stored with the commands, deliveries and emails that are added in it; nil:
	// nothing is traced.
	Trace func(context.Context) string

	tracer pgx.QueryTracer // for tests that count round trips
}

const (
	defaultPrefix = "HM"
	// defaultConns is enough for many commits to share one disk flush; more only adds context switches.
	defaultConns = 16
)

// Store reads and writes the desk's database. It is safe for concurrent use and survives outages of PostgreSQL: calls
// made meanwhile fail as Unavailable.
type Store struct {
	pool        *pgxpool.Pool
	submissions *submissionBatcher
	mails       *mailBatcher
	prefix      string
	allowances  int
	fileLimits  desk.FileLimits
	settle      time.Duration
	own         func(address string) bool
	trace       func(context.Context) string
	policies    sync.Map // version -> *policy.Policy; versions are immutable
	secrets     sync.Map // name -> []byte; secrets are immutable
	notices     atomic.Pointer[noticeCache]
	schedule    atomic.Pointer[ticket.EmergencySchedule] // the newest revision read
	probe       probe
	notifier    *notifier
	swept       atomic.Int64 // when unused allowances were last deleted, in Unix nanoseconds
}

// Open returns a Store for the database at dsn. It connects lazily, so an unavailable database is no error; an invalid
// dsn or number prefix is.
func Open(ctx context.Context, dsn string, opt Options) (*Store, error) {
	if opt.NumberPrefix == "" {
		opt.NumberPrefix = defaultPrefix
	}
	if opt.Files == (desk.FileLimits{}) {
		opt.Files = desk.DefaultFileLimits
	}
	if !ticket.ValidPrefix(opt.NumberPrefix) {
		return nil, fault.New(fault.Invalid, "a ticket number's prefix is one to eight capital letters or digits")
	}
	config, err := pgxpool.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("read the database's address: %w", err)
	}
	config.MaxConns = defaultConns
	if opt.MaxConns > 0 {
		config.MaxConns = opt.MaxConns
	}
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		inUTC(conn)
		return limitLocks(ctx, conn, opt.LockTimeout)
	}
	config.ConnConfig.Tracer = opt.tracer
	setTimeouts(config.ConnConfig)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	s := &Store{pool: pool, notifier: newNotifier(pool), //nolint:contextcheck // it runs until Close
		submissions: newSubmissionBatcher(pool, opt.Files), prefix: opt.NumberPrefix, settle: opt.Settle, allowances: opt.Allowances, fileLimits: opt.Files, own: opt.Own, trace: opt.Trace}
	s.mails = batch.New(maxStatements, maxBatch, s.addMails)
	return s, nil
}

// inUTC has timestamps scanned in UTC: in local time, equal instants would differ from host to host.
func inUTC(conn *pgx.Conn) {
	conn.TypeMap().RegisterType(&pgtype.Type{
		Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
	})
}

// Close waits for calls in progress and closes all connections.
func (s *Store) Close() {
	s.notifier.close()
	s.submissions.Close()
	s.mails.Close()
	s.pool.Close()
}

// Ready returns nil if the database answers and its schema is at least as new as this program needs. All its errors are
// Unavailable, except for an error in the embedded migrations.
func (s *Store) Ready(ctx context.Context) error {
	needed, err := schemaVersion()
	if err != nil {
		return err
	}
	var applied int64
	err = s.pool.QueryRow(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&applied)
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == undefinedTable {
		applied, err = 0, nil
	}
	if err != nil {
		return fault.Wrap(brief(err), fault.Unavailable, "the database is not responding")
	}
	if applied < needed {
		return fault.New(fault.Unavailable,
			"the database's schema is at version %d and this program needs %d: run supportdesk migrate", applied, needed)
	}
	return nil
}

// querier is implemented by a connection, a pool and a transaction. An error of Query is also that of the rows it returns, so
// where these are collected at once it is read there.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// changeOne runs a statement that changes one row, and returns none if it changed nothing.
func changeOne(ctx context.Context, q querier, none error, doing, statement string, args ...any) error {
	tag, err := q.Exec(ctx, statement, args...)
	if err == nil && tag.RowsAffected() == 0 {
		return none
	}
	return explain(err, "%s", doing)
}

// missing returns instead for the error of a query that found no row, and any other error as it is.
func missing(err, instead error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return instead
	}
	return err
}

// found reports whether a query found a row. Finding none is no error.
func found(err error) (bool, error) {
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// instant is a time whose zero value is null in SQL.
type instant = zeronull.Timestamptz

// nullable returns t to be scanned as an instant.
func nullable(t *time.Time) *instant { return (*instant)(t) }

// within runs fn in a transaction, which is committed if fn returns nil and rolled back otherwise.
func (s *Store) within(ctx context.Context, fn func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, s.pool, fn)
}

// withinBatches runs fn in a transaction that can take two round trips: it begins in that of the statements which begin queues, and
// queueCommit commits it in that of the last ones. What fn has not committed is committed if fn returns nil and rolled back otherwise.
func (s *Store) withinBatches(ctx context.Context, begin func(*pgx.Batch), fn func(pgx.Tx) error) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release() // which closes a connection that could not be rolled back
	batch := &pgx.Batch{}
	batch.BeginTx(pgx.TxOptions{})
	begin(batch)
	results := conn.SendBatch(ctx, batch)
	tx := results.Tx()
	open := func() bool { return conn.Conn().PgConn().TxStatus() != 'I' }
	defer func() {
		if open() {
			_ = tx.Rollback(ctx) // there is an error to return already
		}
	}()
	if err := results.Close(); err != nil {
		return err
	}
	if err := fn(tx); err != nil || !open() {
		return err
	}
	return tx.Commit(ctx)
}

// queueCommit queues the end of a transaction of withinBatches. PostgreSQL skips it if a statement before it in the batch fails.
func queueCommit(batch *pgx.Batch) {
	batch.Queue(`COMMIT`).Exec(func(tag pgconn.CommandTag) error {
		if tag.String() != "COMMIT" {
			return pgx.ErrTxCommitRollback
		}
		return nil
	})
}
