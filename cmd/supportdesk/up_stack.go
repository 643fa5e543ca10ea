package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/local"
)

// stack is what up runs. Each part is a process of its own, as in production, so that any can be killed and is restarted.
// Once start has returned the fields are read-only, because other goroutines restart parts.
type stack struct {
	*program
	said       progress
	command    upCommand
	lock       *local.Lock
	self       string // path of this program
	temporal   string // path of Temporal's server
	supervisor *local.Supervisor
	logs       map[string]*os.File // by part
	env        []string            // configuration of our own programs
	ui         string              // URL of Temporal's
	people     []desk.Person       // whom the links and tokens are for
	tokens     []token
	links      []signInLink
	policy     string // description of the policy in force
}

// The names of the parts in messages and of their logs.
const (
	partPostgres = "postgresql"
	partTemporal = "temporal"
	partMailbox  = "mailbox"
	partWorker   = "worker"
	partMail     = "mail"
	partAPI      = "api"
)

// Subdirectories of the data directory.
const (
	dirLogs     = "log"
	dirMails    = "mail"
	dirBlobs    = "blobs"
	dirTemporal = "temporal"
)

// deskAddress is the address of up's desk. It can't be reached from outside.
const deskAddress = "support@holesalemart.example"

const (
	startTimeout = 2 * time.Minute // for all parts
	localMails   = "1000"          // a second: this SMTP server is ours
	localTickets = "2000"          // in the worker's memory: the machine has more to carry
)

// newStack chooses ports and finds the programs. It starts and creates nothing.
func newStack(p *program, c upCommand, said progress, lock *local.Lock) (*stack, error) {
	s := &stack{program: p, said: said, command: c, lock: lock, logs: map[string]*os.File{}, supervisor: local.NewSupervisor(said.line)}
	var err error
	if s.self, err = os.Executable(); err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	if s.temporal, err = local.FindTemporal(); err != nil {
		return nil, err
	}
	return s, s.choosePorts()
}

func (s *stack) choosePorts() (err error) {
	c := &s.command
	for _, port := range []struct {
		port *int
		of   string
	}{
		{&c.Port, "the API"}, {&c.UIPort, "Temporal's UI"}, {&c.MailboxPort, "the mailbox"}, {&c.SMTPPort, "SMTP"},
		{&c.IncomingPort, "incoming mail"}, {&c.HealthPort, "the worker's health checks"}, {&c.MailHealth, "the health checks of mail"},
		{&c.TemporalPort, "Temporal"}, {&c.PostgresPort, "PostgreSQL"},
	} {
		if *port.port, err = local.ChoosePort(*port.port, port.of); err != nil {
			return err
		}
	}
	for i := range metricsParts {
		if c.MetricsPort == 0 {
			break
		}
		port := c.MetricsPort + i
		if _, err := local.ChoosePort(port, "metrics"); err != nil {
			return err
		}
		if slices.Contains([]int{c.Port, c.UIPort, c.MailboxPort, c.SMTPPort, c.IncomingPort, c.HealthPort, c.MailHealth, c.TemporalPort, c.PostgresPort}, port) {
			return fault.New(fault.Invalid, "port %d can't be used for metrics: up uses it for something else", port)
		}
	}
	return nil
}

func (s *stack) openLogs() error {
	dir := filepath.Join(s.command.Data, dirLogs)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the log directory: %w", err)
	}
	for _, part := range []string{partPostgres, partTemporal, partMailbox, partWorker, partMail, partAPI} {
		file, err := os.OpenFile(filepath.Join(dir, part+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("open a log: %w", err)
		}
		s.logs[part] = file
	}
	return nil
}

// start starts every part and brings the schema, the policy and the people up to date.
func (s *stack) start() error {
	ctx, cancel := context.WithTimeout(s.ctx, startTimeout)
	defer cancel()
	postgres, err := local.Supervise(ctx, s.supervisor, partPostgres, s.startPostgres)
	if err != nil {
		return err
	}
	s.env = s.environment(postgres)
	temporal, err := local.Supervise(ctx, s.supervisor, partTemporal, s.startTemporal)
	if err != nil {
		return err
	}
	s.ui = temporal.UI
	if _, err := local.Supervise(ctx, s.supervisor, partMailbox, s.startMailbox); err != nil {
		return err
	}
	if err := s.prepare(ctx, postgres); err != nil {
		return err
	}
	if _, err := local.Supervise(ctx, s.supervisor, partWorker, s.startWorker); err != nil {
		return err
	}
	if _, err := local.Supervise(ctx, s.supervisor, partMail, s.startMail); err != nil {
		return err
	}
	_, err = local.Supervise(ctx, s.supervisor, partAPI, s.startAPI)
	return err
}

func (s *stack) startPostgres(ctx context.Context) (*local.Postgres, error) {
	return local.StartPostgres(ctx, local.PostgresOptions{
		Dir: filepath.Join(s.command.Data, "postgresql"), Port: s.command.PostgresPort, Log: s.logs[partPostgres],
		Lock: s.lock,
	})
}

func (s *stack) startTemporal(ctx context.Context) (*local.Temporal, error) {
	return local.StartTemporal(ctx, local.TemporalOptions{
		Binary: s.temporal, DB: filepath.Join(s.command.Data, dirTemporal, "temporal.db"),
		Port: s.command.TemporalPort, UIPort: s.command.UIPort, Log: s.logs[partTemporal], Lock: s.lock,
	})
}

func (s *stack) startMailbox(ctx context.Context) (*local.Program, error) {
	return s.startSelf(ctx, partMailbox, loopback(s.command.MailboxPort), "local-mailbox",
		"--dir", filepath.Join(s.command.Data, dirMails),
		"--smtp", loopback(s.command.SMTPPort), "--http", loopback(s.command.MailboxPort),
		"--desk", loopback(s.command.IncomingPort), "--mail", deskAddress)
}

func (s *stack) startMail(ctx context.Context) (*local.Program, error) {
	return s.startSelf(ctx, partMail, loopback(s.command.IncomingPort), "mail")
}

func (s *stack) startWorker(ctx context.Context) (*local.Program, error) {
	return s.startSelf(ctx, partWorker, "", "worker")
}

func (s *stack) startAPI(ctx context.Context) (*local.Program, error) {
	return s.startSelf(ctx, partAPI, loopback(s.command.Port), "local-api", "--mailbox", "http://"+loopback(s.command.MailboxPort))
}

// startSelf starts this program with other arguments, and waits until it listens on address.
func (s *stack) startSelf(ctx context.Context, part, address string, args ...string) (*local.Program, error) {
	program, err := local.StartProgram(local.ProgramOptions{
		Name: part, Path: s.self, Args: args, Env: append(slices.Clip(s.env), s.metricsOf(part)...), Log: s.logs[part], Lock: s.lock,
	})
	if err != nil || address == "" {
		return program, err
	}
	if err := awaitListener(ctx, address, program.Done()); err != nil {
		ended := program.Err()
		program.Kill()
		return nil, errors.Join(err, ended)
	}
	return program, nil
}

// metricsParts are the parts that serve metrics, each at the next port.
var metricsParts = []string{partAPI, partWorker, partMail}

// metricsOf returns where a part serves its metrics, if they are served.
func (s *stack) metricsOf(part string) []string {
	i := slices.Index(metricsParts, part)
	if i < 0 || s.command.MetricsPort == 0 {
		return nil
	}
	return []string{"SUPPORTDESK_METRICS_ADDRESS=" + loopback(s.command.MetricsPort+i)}
}

// inherited returns the caller's environment without the settings that up ignores: those of the log and of webhooks are passed on.
func inherited() []string {
	return slices.DeleteFunc(os.Environ(), func(line string) bool {
		ours := strings.HasPrefix(line, "SUPPORTDESK_") && !strings.HasPrefix(line, "SUPPORTDESK_WEBHOOK") && !strings.HasPrefix(line, "SUPPORTDESK_LOG_")
		return ours || strings.HasPrefix(line, "TEMPORAL_") || strings.HasPrefix(line, "PG")
	})
}

// environment returns the complete environment of our own programs. They don't inherit the caller's configuration of
// databases and servers, so that up runs the same wherever it is started.
func (s *stack) environment(postgres *local.Postgres) []string {
	return append(inherited(),
		"SUPPORTDESK_DATABASE_URL="+postgres.DSN(database),
		"SUPPORTDESK_HTTP_ADDRESS="+loopback(s.command.Port),
		"SUPPORTDESK_HEALTH_ADDRESS="+loopback(s.command.HealthPort),
		"SUPPORTDESK_MAIL_HEALTH_ADDRESS="+loopback(s.command.MailHealth),
		"SUPPORTDESK_BASE_URL="+s.url(),
		"SUPPORTDESK_BLOB_URL="+(&url.URL{Scheme: "file", Path: filepath.ToSlash(filepath.Join(s.command.Data, dirBlobs))}).String(),
		"SUPPORTDESK_SMTP_HOST=127.0.0.1",
		"SUPPORTDESK_SMTP_PORT="+strconv.Itoa(s.command.SMTPPort),
		"SUPPORTDESK_SMTP_TLS=none",
		"SUPPORTDESK_MAIL_FROM=Holesalemart Support <"+deskAddress+">",
		"SUPPORTDESK_MAIL_ADDRESSES="+deskAddress,
		"SUPPORTDESK_AUTHSERV_ID=mailbox.example", // nothing is looked up in DNS, and people may write as anyone
		"SUPPORTDESK_INCOMING_SMTP_ADDRESS="+loopback(s.command.IncomingPort),
		"SUPPORTDESK_MAILS_PER_SECOND="+localMails,
		"TEMPORAL_ADDRESS="+loopback(s.command.TemporalPort),
		"TEMPORAL_NAMESPACE=default",
		"SUPPORTDESK_TEMPORAL_UI_URL="+(&url.URL{Scheme: "http", Host: loopback(s.command.UIPort)}).String(),
		"TEMPORAL_CONFIG_FILE="+os.DevNull, // not the caller's profile
		"SUPPORTDESK_WORKER_TICKETS="+localTickets,
	)
}

func (s *stack) stop() error {
	errs := []error{s.supervisor.Stop()}
	for _, log := range s.logs {
		errs = append(errs, log.Close())
	}
	return errors.Join(errs...)
}

func (s *stack) url() string {
	return (&url.URL{Scheme: "http", Host: loopback(s.command.Port)}).String()
}

// awaitListener waits until a process listens on an address. It returns an error if ended is closed before.
func awaitListener(ctx context.Context, address string, ended <-chan struct{}) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var dialer net.Dialer
	for {
		conn, err := dialer.DialContext(ctx, "tcp", address)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("wait for %s: %w", address, ctx.Err())
		case <-ended:
			return fmt.Errorf("nothing listens at %s", address)
		case <-tick.C:
		}
	}
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
