package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"path/filepath"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	orphanWait    = 15 * time.Second
	postgresReady = 2 * time.Minute // crash recovery may replay up to a gigabyte
)

// PostgresOptions configures a cluster.
type PostgresOptions struct {
	Dir    string    // contains data, passwords and a lock; created if missing
	Port   int       // on 127.0.0.1; 0: any free port
	Bin    string    // directory of postgres and initdb; empty: found or downloaded
	NoSync bool      // no fsync: survives kill -9, but not a power failure
	Log    io.Writer // server log and progress; nil: discarded
	Lock   *Lock     // awaited by a successor's AwaitOrphans; may be nil
}

// Postgres is a running server. It does not outlive this process.
type Postgres struct {
	*child
	port    int
	secrets secrets
}

// StartPostgres starts the cluster in Dir, creating it if necessary, and returns when it accepts connections. ctx
// bounds only the start. Errors that a person can fix are faults: a port in use, no PostgreSQL available, data of
// another version or owner, another server on the same data.
func StartPostgres(ctx context.Context, opts PostgresOptions) (*Postgres, error) {
	dir, err := filepath.Abs(opts.Dir)
	if err != nil {
		return nil, fmt.Errorf("resolve the data directory: %w", err)
	}
	c := cluster{dir: dir, log: opts.Log, throwaway: opts.NoSync}
	lock, err := c.lock(ctx)
	if err != nil {
		return nil, err
	}
	// The server and all its processes inherit the lock, so it is held until the last of them is gone.
	defer func() { _ = lock.Close() }()
	port, err := ChoosePort(opts.Port, "PostgreSQL")
	if err != nil {
		return nil, err
	}
	if err := c.prepare(ctx, opts.Bin); err != nil {
		return nil, err
	}
	orphan := syscall.SIGINT // a fast and clean stop
	if opts.NoSync {
		orphan = syscall.SIGQUIT
	}
	child, err := startChild(childSpec{
		name: "PostgreSQL", path: filepath.Join(c.bin, "postgres"), args: c.arguments(port), as: c.as,
		files: append(opts.Lock.inherit(), lock), log: opts.Log, stop: syscall.SIGINT, orphan: orphan,
	})
	if err != nil {
		return nil, err
	}
	p := &Postgres{child: child, port: port, secrets: c.secrets}
	if err := p.await(ctx); err != nil {
		p.Kill()
		return nil, err
	}
	return p, nil
}

// CheckPostgres returns the error with which StartPostgres would refuse to create a cluster in a directory that does not exist,
// because of the user or for want of PostgreSQL. It creates nothing there, and downloads PostgreSQL if that is what StartPostgres
// would do, which it reports to log.
func CheckPostgres(ctx context.Context, dir string, log io.Writer) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("resolve the data directory: %w", err)
	}
	if _, err := accountFor(dir); err != nil {
		return err
	}
	_, err = findPostgres(ctx, "", 0, log)
	return err
}

// arguments returns the command line of the server. Settings are here rather than in a file, so that they follow the
// version of the program.
func (c *cluster) arguments(port int) []string {
	args := []string{"-D", c.data()}
	set := func(name, value string) { args = append(args, "-c", name+"="+value) }
	set("listen_addresses", loopback)
	set("port", strconv.Itoa(port))
	set("unix_socket_directories", "")
	set("max_connections", "200")
	set("timezone", "UTC")
	set("log_timezone", "UTC")
	set("log_min_messages", "warning")
	// Statements, parameters and error details contain personal data.
	set("log_min_error_statement", "panic")
	set("log_error_verbosity", "terse")
	set("log_parameter_max_length_on_error", "0")
	set("log_statement", "none")
	set("log_min_duration_statement", "-1")
	set("jit", "off")
	set("wal_level", "minimal")
	set("max_wal_senders", "0")
	// These are PostgreSQL's defaults, which a file in the cluster could override: commits survive a power failure.
	durable := "on"
	if c.throwaway {
		durable = "off"
	}
	set("fsync", durable)
	set("full_page_writes", durable)
	set("synchronous_commit", "on")
	return args
}

// await returns when the server accepts connections and has its roles, or with the end of its log if it ends.
func (p *Postgres) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, postgresReady)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, p.SuperuserDSN("postgres"))
		if err == nil {
			_ = conn.Close(ctx) // no query was sent
		}
		if err == nil || hasCode(err, invalidPassword) { // it is running
			return p.ensureRoles(ctx)
		}
		select {
		case <-p.done:
			return p.failure()
		case <-ctx.Done():
			return fmt.Errorf("wait for PostgreSQL: %w", errors.Join(ctx.Err(), err))
		case <-tick.C:
		}
	}
}

// DSN returns the URL of a database for the role that owns it and has no other rights. It contains the password.
func (p *Postgres) DSN(database string) string { return p.dsn(role, p.secrets.role, database) }

// SuperuserDSN returns the URL of a database for the superuser.
func (p *Postgres) SuperuserDSN(database string) string {
	return p.dsn(superuser, p.secrets.superuser, database)
}

func (p *Postgres) dsn(user, password, database string) string {
	dsn := url.URL{
		Scheme: "postgres", User: url.UserPassword(user, password), Host: address(p.port), Path: "/" + database,
		RawQuery: "sslmode=disable",
	}
	return dsn.String()
}

// Port returns the port on 127.0.0.1.
func (p *Postgres) Port() int { return p.port }
