package store

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

// lockTries is how many seconds a replica waits for the migration of another.
const lockTries = 600

// migrationPause is how long a process that hangs between two migrations keeps other replicas waiting.
const migrationPause = time.Minute

// Migrate applies the migrations that a database lacks. Replicas that start at the same time wait for each other. A
// schema that is up to date or newer is not changed.
func Migrate(ctx context.Context, dsn string) (err error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return fmt.Errorf("read the database's address: %w", err)
	}
	setTimeouts(config)
	// The lock belongs to the session and must outlast pauses between transactions, also on a busy machine.
	setTimeout(config, "idle_session_timeout", migrationPause)
	// Poll every second instead of the default five, since replicas that start together wait for each other.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, lockTries), lock.WithUnlockTimeout(1, 30))
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	db := stdlib.OpenDB(*config)
	defer func() { err = errors.Join(err, db.Close()) }()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files,
		goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	_, err = provider.Up(ctx)
	return explain(err, "migrate")
}

// schemaVersion returns the number of the newest migration of this program.
func schemaVersion() (int64, error) {
	entries, err := migrations.ReadDir("migrations")
	if err != nil {
		return 0, fmt.Errorf("read the migrations: %w", err)
	}
	newest := entries[len(entries)-1].Name() // ReadDir sorts by name
	number, _, _ := strings.Cut(newest, "_")
	version, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("read the migration %s: %w", newest, err)
	}
	return version, nil
}
