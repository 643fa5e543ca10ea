package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/local"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const (
	startTimeout = 2 * time.Minute
	customers    = 32
	agents       = 40 // of whom each has at most 30 pages open
)

// stack is a whole desk in a directory of its own: servers that flush to the disk as in production, and the program's
// processes. Its methods are for one goroutine.
type stack struct {
	dir      string
	program  string
	postgres *local.Postgres
	temporal *local.Temporal
	mails    *mailbox
	env      []string
	base     string // URL of the API
	pool     *pgxpool.Pool
	client   client.Client // Temporal's
	api      *process
	worker   *process

	customers, agents []*person
	supervisor        *person
}

// process is one of the program's processes.
type process struct {
	name string
	log  string // file
	run  *local.Program
}

// start starts a stack without its worker. Its policy is Holesalemart's unless there is a document.
func (b *bench) start(document ...string) (s *stack, err error) {
	ctx, cancel := context.WithTimeout(b.ctx, startTimeout)
	defer cancel()
	dir, err := os.MkdirTemp("", "supportdesk-bench-*")
	if err == nil {
		err = os.Chmod(dir, 0o755) // PostgreSQL may run as another user
	}
	if err != nil {
		return nil, fmt.Errorf("make a directory: %w", err)
	}
	s = &stack{dir: dir, program: b.settings.Program}
	defer func() {
		if err != nil {
			s.stop()
		}
	}()
	if err := s.startServers(ctx, b.settings.Env); err != nil {
		return s, err
	}
	migrate := []string{"migrate"}
	for _, text := range document {
		file := filepath.Join(dir, "policy.yaml")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			return s, fmt.Errorf("write a policy: %w", err)
		}
		migrate = append(migrate, "--policy", file)
	}
	if _, err := s.command(ctx, migrate...); err != nil {
		return s, err
	}
	if err := s.addPeople(ctx); err != nil {
		return s, err
	}
	if err := s.startAPI(ctx); err != nil {
		return s, err
	}
	return s, s.versions(ctx, b.report)
}

// startWorking starts a stack with its worker.
func (b *bench) startWorking(document ...string) (*stack, error) {
	s, err := b.start(document...)
	if err != nil {
		return nil, err
	}
	if err := s.startWorker(); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

// startStaffed starts a stack with its worker, and with tickets that the staff work on.
func (b *bench) startStaffed() (*stack, *staffWork, error) {
	s, err := b.startWorking()
	if err != nil {
		return nil, nil, err
	}
	work, err := s.addStaffWork(b.ctx)
	if err != nil {
		s.stop()
		return nil, nil, err
	}
	return s, work, nil
}

func (s *stack) startServers(ctx context.Context, env []string) (err error) {
	s.postgres, err = local.StartPostgres(ctx, local.PostgresOptions{Dir: filepath.Join(s.dir, "postgresql")})
	if err != nil {
		return err
	}
	dsn, err := s.postgres.EnsureDatabase(ctx, "supportdesk")
	if err != nil {
		return err
	}
	if s.pool, err = pgxpool.New(ctx, dsn+"&pool_max_conns=40&application_name=bench"); err != nil {
		return err
	}
	binary, err := local.FindTemporal()
	if err != nil {
		return err
	}
	s.temporal, err = local.StartTemporal(ctx, local.TemporalOptions{Binary: binary, DB: filepath.Join(s.dir, "temporal", "temporal.db")})
	if err != nil {
		return err
	}
	if s.client, err = dialTemporal(ctx, s.temporal.HostPort); err != nil {
		return err
	}
	if s.mails, err = startMailbox(); err != nil {
		return err
	}
	return s.configure(dsn, env)
}

// configure makes the environment of the program. Rate limits of people are counted, as in production, but not reached.
func (s *stack) configure(dsn string, env []string) error {
	port, err := local.ChoosePort(0, "the API")
	if err != nil {
		return err
	}
	address := net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	s.base = "http://" + address
	blobs := filepath.Join(s.dir, "blobs")
	if err := os.Mkdir(blobs, 0o700); err != nil {
		return fmt.Errorf("make a directory for files: %w", err)
	}
	smtpHost, smtpPort, err := net.SplitHostPort(s.mails.listener.Addr().String())
	if err != nil {
		return err
	}
	s.env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + s.dir,
		"SUPPORTDESK_DATABASE_URL=" + dsn,
		"SUPPORTDESK_HTTP_ADDRESS=" + address, "SUPPORTDESK_BASE_URL=" + s.base,
		"SUPPORTDESK_BLOB_URL=file://" + blobs,
		"SUPPORTDESK_HEALTH_ADDRESS=off", "SUPPORTDESK_MAIL_HEALTH_ADDRESS=off",
		"SUPPORTDESK_ALLOWANCES=1000", "SUPPORTDESK_EMERGENCY_SETTLE=0s",
		"SUPPORTDESK_SMTP_HOST=" + smtpHost, "SUPPORTDESK_SMTP_PORT=" + smtpPort, "SUPPORTDESK_SMTP_TLS=none",
		"SUPPORTDESK_MAIL_FROM=Desk <desk@demo.example>", "SUPPORTDESK_MAILS_PER_SECOND=1000",
		"TEMPORAL_ADDRESS=" + s.temporal.HostPort, "TEMPORAL_CONFIG_FILE=" + os.DevNull,
	}, env...)
	return nil
}

// command runs a command of the program to its end and returns what it printed.
func (s *stack) command(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, s.program, args...)
	cmd.Env = s.env
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("supportdesk %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

func (s *stack) addPeople(ctx context.Context) error {
	db, err := store.Open(ctx, s.postgres.DSN("supportdesk"), store.Options{})
	if err != nil {
		return err
	}
	defer db.Close()
	add := func(role ticket.Role, n int) (*person, error) {
		p := desk.Person{Role: role, Name: fmt.Sprintf("Demo %s %d", role, n), Address: fmt.Sprintf("%s-%d@demo.example", role, n)}
		if role.Staff() {
			p.Handle = fmt.Sprintf("%s-%d", role, n)
		}
		added, err := db.AddPerson(ctx, p)
		if err != nil {
			return nil, err
		}
		token, err := db.IssueToken(ctx, added.ID, "bench")
		return &person{base: s.base, token: token, handle: added.Handle, address: added.Address}, err
	}
	for i := range customers {
		p, err := add(ticket.RoleCustomer, i)
		if err != nil {
			return err
		}
		s.customers = append(s.customers, p)
	}
	for i := range agents {
		p, err := add(ticket.RoleAgent, i)
		if err != nil {
			return err
		}
		s.agents = append(s.agents, p)
	}
	s.supervisor, err = add(ticket.RoleSupervisor, 0)
	return err
}

func (s *stack) startAPI(ctx context.Context) (err error) {
	if s.api, err = s.startProcess("api"); err != nil {
		return err
	}
	for {
		var ready struct{}
		if (&person{base: s.base}).call(ctx, "GET", "/policy", nil, &ready) == nil {
			return nil
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-s.api.run.Done():
			return fmt.Errorf("the API has ended: %w: %s", s.api.run.Err(), s.api.tail())
		case <-ctx.Done():
			return fmt.Errorf("wait for the API: %w", ctx.Err())
		}
	}
}

func (s *stack) startWorker() (err error) {
	s.worker, err = s.startProcess("worker")
	return err
}

func (s *stack) startProcess(name string) (*process, error) {
	p := &process{name: name, log: filepath.Join(s.dir, name+".log")}
	file, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open a log: %w", err)
	}
	p.run, err = local.StartProgram(local.ProgramOptions{Name: name, Path: s.program, Args: []string{name}, Env: s.env, Log: file})
	if err != nil {
		return p, errors.Join(err, file.Close())
	}
	go func() {
		<-p.run.Done()
		_ = file.Close() // what it wrote last is of no use
	}()
	return p, nil
}

// tail returns the end of the process's log.
func (p *process) tail() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-2000):])
}

// stop ends everything and removes it.
func (s *stack) stop() {
	for _, p := range []*process{s.worker, s.api} {
		if p != nil && p.run != nil {
			p.run.Kill()
		}
	}
	if s.client != nil {
		s.client.Close()
	}
	if s.mails != nil {
		s.mails.stop()
	}
	if s.pool != nil {
		s.pool.Close()
	}
	if s.temporal != nil {
		s.temporal.Kill()
	}
	if s.postgres != nil {
		_ = s.postgres.Stop() // its files are removed
	}
	if err := os.RemoveAll(s.dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
}

// awaitCount polls the database until a query returns at least n.
func (s *stack) awaitCount(ctx context.Context, n int, query string, args ...any) error {
	return s.await(ctx, fmt.Sprint(n, " from ", query), func() (bool, error) {
		var got int
		err := s.pool.QueryRow(ctx, query, args...).Scan(&got)
		return got >= n, err
	})
}

// await polls until a condition holds.
func (s *stack) await(ctx context.Context, what string, holds func() (bool, error)) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, err := holds()
		if ok || err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", what, ctx.Err())
		}
	}
}

// fill submits tickets from 8 clients until there are n with their receipts sent.
func (s *stack) fill(ctx context.Context, n int) error {
	if more := n - len(s.mails.receipts()); more > 0 {
		if _, _, err := each(ctx, 8, more, s.submit); err != nil {
			return err
		}
	}
	return s.mails.awaitReceipts(ctx, n)
}

func (s *stack) temporalVersion(ctx context.Context) (string, error) {
	info, err := s.client.WorkflowService().GetSystemInfo(ctx, &workflowservice.GetSystemInfoRequest{})
	return info.GetServerVersion(), err
}
