// Package store keeps the words, the commands and the timeline of every ticket in PostgreSQL. Acceptance writes words
// and numbered commands; a step decides commands with the pure domain and is the only writer of a ticket's state.
// Invariants of state are constraints in the schema too. It knows no HTTP, no Temporal and no SMTP, and it starts no
// goroutine that outlives a call, but for a write probe, which is bounded and which Close waits for.
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
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Options tunes a Store; the zero value is usable.
type Options struct {
	NumberPrefix string // of tickets that come without a number; "HM" when empty
	MaxConns     int32  // connections at most; 16 when 0
	Allowances   int    // how many times the allowances of internal/account people may write; 0: without limit
	// Settle is how long the mails about an emergency wait after somebody's last change of it: what is changed again
	// until then takes their place.
	Settle time.Duration
}

const (
	defaultPrefix = "HM"
	// Enough to share one disk flush among many commits; more only adds switches between processes.
	defaultConns = 16
)

// Store is the desk's memory. It is safe for concurrent use, and outlives any outage of PostgreSQL: what is asked
// meanwhile fails as Unavailable.
type Store struct {
	pool       *pgxpool.Pool
	intake     *intake
	prefix     string
	allowances int
	settle     time.Duration
	policies   sync.Map // version -> *policy.Policy: a version never changes
	secrets    sync.Map // name -> []byte, likewise
	notices    atomic.Pointer[noticeCache]
	gate       atomic.Pointer[ticket.EmergencySchedule] // the newest that was read
	probe      probe
	swept      atomic.Int64 // when full allowances were last cleared away, in Unix nanoseconds
}

// Open prepares a Store for a database. It connects when it first has to, so a database that is down is no error here;
// only a dsn that can't be read or a bad prefix is.
func Open(ctx context.Context, dsn string, opt Options) (*Store, error) {
	if opt.NumberPrefix == "" {
		opt.NumberPrefix = defaultPrefix
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
	config.AfterConnect = inUTC
	bound(config.ConnConfig)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open the database: %w", err)
	}
	return &Store{pool: pool, intake: newIntake(pool), prefix: opt.NumberPrefix, settle: opt.Settle, allowances: opt.Allowances}, nil
}

// inUTC makes instants arrive in UTC: in local time, equal ones would differ from host to host.
func inUTC(_ context.Context, conn *pgx.Conn) error {
	conn.TypeMap().RegisterType(&pgtype.Type{
		Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC},
	})
	return nil
}

// Close waits for what is under way and closes every connection.
func (s *Store) Close() { s.pool.Close() }

// Ready reports whether the database answers and its schema is at least the one that this program was built for. All
// its errors are Unavailable.
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
		return fault.Wrap(err, fault.Unavailable, "the database does not answer")
	}
	if applied < needed {
		return fault.New(fault.Unavailable,
			"the database's schema is at version %d and this program needs %d: run supportdesk migrate", applied, needed)
	}
	return nil
}

// querier is what a connection, a pool and a transaction have in common.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
}

// within runs fn in a transaction that is committed when fn succeeds.
func (s *Store) within(ctx context.Context, fn func(pgx.Tx) error) error {
	return pgx.BeginFunc(ctx, s.pool, fn)
}
