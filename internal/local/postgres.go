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
	postgresReady = 2 * time.Minute // recovery after a crash replays up to a gigabyte
)

// PostgresOptions say where a cluster lives and how it runs.
type PostgresOptions struct {
	Dir       string    // holds the cluster in data, its password and a lock; made when missing
	Port      int       // on 127.0.0.1; 0 picks a free one
	Bin       string    // directory of postgres and initdb; empty finds or fetches one
	Throwaway bool      // no fsync: survives kill -9, not a power cut
	Log       io.Writer // the server's log and progress lines; nil drops them
	Lock      *Lock     // a successor's AwaitOrphans waits for the server; nil is none
}

// Postgres is a running server whose life ends with ours at the latest.
type Postgres struct {
	child   *child
	port    int
	secrets secrets
}

// StartPostgres starts the cluster in Dir, making it first when there is none, and returns when it answers.
// ctx bounds the start only. What a person can put right is a fault: a port in use, no PostgreSQL to be had, data of
// another version or owner, another server on the same data.
func StartPostgres(ctx context.Context, opts PostgresOptions) (*Postgres, error) {
	dir, err := filepath.Abs(opts.Dir)
	if err != nil {
		return nil, fmt.Errorf("resolve the data directory: %w", err)
	}
	c := cluster{dir: dir, log: opts.Log, throwaway: opts.Throwaway}
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
	if opts.Throwaway {
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

// arguments are the server's command line. Settings stand here and not in a file, so that they follow the
// program's version and not the cluster's age.
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
	// Statements and parameters hold what people wrote, and the detail of an error the row that it is about.
	set("log_min_error_statement", "panic")
	set("log_error_verbosity", "terse")
	set("log_parameter_max_length_on_error", "0")
	set("log_statement", "none")
	set("log_min_duration_statement", "-1")
	set("jit", "off")
	set("wal_level", "minimal")
	set("max_wal_senders", "0")
	// These are PostgreSQL's defaults, which a file in the cluster could change: what was answered survives a power cut.
	durable := "on"
	if c.throwaway {
		durable = "off"
	}
	set("fsync", durable)
	set("full_page_writes", durable)
	set("synchronous_commit", "on")
	return args
}

// await returns when the server answers and has its roles, or with what it said when it ended instead.
func (p *Postgres) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, postgresReady)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := pgx.Connect(ctx, p.SuperuserDSN("postgres"))
		if err == nil {
			_ = conn.Close(ctx) // nothing was asked of it
		}
		if err == nil || hasCode(err, invalidPassword) { // it answers
			return p.ensureRoles(ctx)
		}
		select {
		case <-p.child.done:
			return p.child.failure()
		case <-ctx.Done():
			return fmt.Errorf("wait for PostgreSQL: %w", errors.Join(ctx.Err(), err))
		case <-tick.C:
		}
	}
}

// DSN is the URL of a database on this server, for the role that owns it and may do nothing else. It holds the password.
func (p *Postgres) DSN(database string) string { return p.dsn(role, p.secrets.role, database) }

// SuperuserDSN is the URL of a database for the role that may do anything, files of the server included.
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

// Port is where the server listens on 127.0.0.1.
func (p *Postgres) Port() int { return p.port }

// Stop ends the server cleanly: connections are cut, everything is written.
func (p *Postgres) Stop() error { return p.child.end() }

// Kill ends the server as kill -9 does and returns when all its processes are gone.
func (p *Postgres) Kill() { p.child.kill() }

// Done closes when the server has ended.
func (p *Postgres) Done() <-chan struct{} { return p.child.done }

// Err is why the server ended by itself; nil while it runs and after Stop or Kill.
func (p *Postgres) Err() error { return p.child.err() }
