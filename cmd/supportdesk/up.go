package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/holesalemart/supportdesk/internal/config"
	"github.com/holesalemart/supportdesk/internal/local"
	"github.com/holesalemart/supportdesk/internal/logging"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

type upCommand struct {
	Data   string `default:"data" type:"path" help:"Data directory; created if missing. Default: ${default}."`
	Policy string `type:"existingfile" help:"Policy document for new tickets; published if it differs from the newest. Default: the policy in force, at first Holesalemart's."`

	Demo        bool `help:"Add a few hundred invented tickets in every status, once."`
	DemoTickets int  `hidden:"" help:"Number of invented tickets, for measurements."`
	DemoOpen    int  `hidden:"" help:"Most of them that are open, about. Default: 2,000, so that Temporal is not flooded."`

	Port         int `default:"8080" help:"Port of the API; 0, here and below up to --postgres-port, picks a free one. Default: ${default}."`
	UIPort       int `name:"ui-port" default:"8233" help:"Port of Temporal UI. Default: ${default}."`
	MailboxPort  int `default:"8025" help:"Port of the mailbox's pages. Default: ${default}."`
	SMTPPort     int `name:"smtp-port" default:"1025" help:"Port of the mailbox's SMTP server. Default: ${default}."`
	TemporalPort int `default:"7233" help:"Port of Temporal's gRPC frontend. Default: ${default}."`
	IncomingPort int `hidden:"" help:"Port at which the desk receives the mail that the mailbox passes on. Default: a free one."`
	PostgresPort int `default:"5433" help:"Port of PostgreSQL. Default: ${default}."`
	HealthPort   int `help:"Port of the worker's health checks. Default: 0, a free one."`
	MailHealth   int `name:"mail-health-port" help:"Port of the health checks of the receiver of mail. Default: 0, a free one."`
	MetricsPort  int `help:"Port of the API's metrics; those of the worker and of the receiver of mail are at the next two. Default: 0, metrics are not served."`
}

// Run starts the whole stack, prints the addresses, and stops everything when the program is stopped.
func (c upCommand) Run(p *program) (err error) {
	if err := c.check(p); err != nil {
		return err
	}
	said, err := newProgress(p)
	if err != nil {
		return err
	}
	if err := c.checkMachine(p, said); err != nil {
		return err
	}
	lock, err := local.LockDir(c.Data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lock.Release()) }()
	syscall.Umask(0o077) // inherited by every part: other users can't read files of the stack
	if err := local.RestrictPermissions(c.Data, dirLogs, dirMails, dirBlobs, dirTemporal); err != nil {
		return err
	}
	err = lock.AwaitOrphans(p.ctx, func() {
		said.line("Waiting for processes of the last run, which was killed, to end")
	})
	if p.ctx.Err() != nil {
		return nil
	} else if err != nil {
		return err
	}
	s, err := newStack(p, c, said, lock)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	for _, step := range []func() error{s.openLogs, s.start, s.addDemoTickets, s.makeLinks, s.welcome} {
		if err := step(); p.ctx.Err() != nil {
			return nil
		} else if err != nil {
			return err
		}
	}
	<-p.ctx.Done()
	said.line("\nStopping. All data is kept in " + relativeDir(c.Data))
	return nil
}

// check validates the options before anything is started, and makes the policy's path absolute.
func (c *upCommand) check(p *program) (err error) {
	if c.Data == "" {
		return errors.New("--data names no directory")
	}
	if c.Policy == "" {
		return nil
	}
	if _, err := readPolicy(p, c.Policy); err != nil {
		return err
	}
	c.Policy, err = filepath.Abs(c.Policy)
	return err
}

// checkMachine returns an error if a new stack can't run on this machine: a port is in use, say. It is called before a data directory is
// created, so that none is left behind. If there is one, the same is found out under its lock, after the end of what still runs in it.
func (c upCommand) checkMachine(p *program, said progress) error {
	if _, err := os.Stat(c.Data); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if _, err := newStack(p, c, said, nil); err != nil {
		return err
	}
	return local.CheckPostgres(p.ctx, filepath.Join(c.Data, partPostgres), said)
}

// progress is where up says what it does: on standard output, or, if the format of the log is JSON, as lines of the log. The addresses,
// links and tokens are on standard output in both cases: they are for a person.
type progress struct {
	out io.Writer
	log *slog.Logger // nil: out
	// rest is the beginning of a line that has not ended.
	rest *bytes.Buffer
}

// newProgress reads the caller's settings that up passes on, and returns an error if any is malformed.
func newProgress(p *program) (progress, error) {
	settings := withSettings(*p, inherited())
	c, log, err := settings.loadBy(config.LoadWithoutDatabase)
	if err != nil || c.LogFormat != logging.JSON {
		log = nil
	}
	return progress{out: p.stdout, log: log, rest: &bytes.Buffer{}}, err
}

// line reports an event, in one or several lines. What is said is not essential, so that it is no error if it can't be.
func (r progress) line(text string) {
	if r.log != nil {
		r.log.Info(strings.TrimSpace(text))
		return
	}
	_, _ = fmt.Fprintln(r.out, text)
}

// Write reports each line that has ended.
func (r progress) Write(text []byte) (int, error) {
	if r.log == nil {
		return r.out.Write(text)
	}
	r.rest.Write(text)
	for {
		line, _, ended := bytes.Cut(r.rest.Bytes(), []byte("\n"))
		if !ended {
			return len(text), nil
		}
		if said := strings.TrimSpace(string(line)); said != "" {
			r.line(said)
		}
		r.rest.Next(len(line) + 1)
	}
}

// welcome prints the addresses, how to sign in, and what to try first.
func (s *stack) welcome() error {
	var b strings.Builder
	b.WriteString("\nSupportdesk is up. Press Ctrl-C to stop it; all data is kept in " + relativeDir(s.command.Data) + "\n\n")
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "  Website\t%s/\t(for customers and visitors)\n", s.url())
	fmt.Fprintf(table, "  Panel\t%s/desk\t(for agents)\n", s.url())
	fmt.Fprintf(table, "  Supervision\t%s/supervision\t(for supervisors and administrators)\n", s.url())
	fmt.Fprintf(table, "  API\t%s/api/v1\t(described by %s/api/openapi.json)\n", s.url(), s.url())
	fmt.Fprintf(table, "  Mailbox\t%s/dev/mail\t(as JSON at /dev/mail.json; SMTP at %s)\n", s.url(), loopback(s.command.SMTPPort))
	fmt.Fprintf(table, "  Email\t%s\t(the desk's address: write to it in the mailbox, or by SMTP)\n", deskAddress)
	fmt.Fprintf(table, "  Temporal UI\t%s\t(gRPC at %s)\n", s.ui, loopback(s.command.TemporalPort))
	fmt.Fprintf(table, "  PostgreSQL\t%s\t(database %s; password in %s)\n", loopback(s.command.PostgresPort), database,
		filepath.Join(relativeDir(s.command.Data), partPostgres, "password"))
	s.writeMonitoring(table)
	fmt.Fprintf(table, "  Policy\t%s\t\n", s.policy)
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(&b, `
Sign in with one of these links. Each works once, within %.0f hours; the next start creates new ones. After that, enter the
address at %s/sign-in, choose "Email me a link instead" and open the email at
%s/dev/mail.

`, linkLifetime.Hours(), s.url(), s.url())
	for _, l := range s.links {
		fmt.Fprintf(table, "  %s's link\t%s\t%s\n", l.role, l.url, l.address)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	b.WriteString("\nAPI tokens stay the same from one start to the next.\n\n")
	for _, t := range s.tokens {
		fmt.Fprintf(table, "  %s's token\t%s\n", t.Role, t.Token)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(&b, `
Submit your first ticket:

  curl -s %s/api/v1/tickets -H 'Authorization: Bearer %s' \
    -H 'Content-Type: application/json' -d '{"subject": "My parcel is late", "body": "It was due last week."}'

Or by email:

  printf 'From: customer@demo.example\nTo: %s\nSubject: My parcel is late\n\nIt was due last week.\n' |
    curl -s smtp://%s --mail-from customer@demo.example --mail-rcpt %s --upload-file -

`, s.url(), cmp.Or(s.tokenOf(ticket.RoleCustomer), "sd_…"), deskAddress, loopback(s.command.SMTPPort), deskAddress)
	_, err := fmt.Fprint(s.stdout, b.String())
	return err
}

// writeMonitoring writes where health checks are served, and metrics, if they are.
func (s *stack) writeMonitoring(table io.Writer) {
	fmt.Fprintf(table, "  Health\t%s/readyz\t(of the API; http://%s/readyz of the worker, http://%s/readyz of the receiver of mail)\n",
		s.url(), loopback(s.command.HealthPort), loopback(s.command.MailHealth))
	if port := s.command.MetricsPort; port != 0 {
		fmt.Fprintf(table, "  Metrics\thttp://%s/metrics\t(of the API; of the worker at port %d, of the receiver of mail at %d)\n", loopback(port), port+1, port+2)
	}
}

// tokenOf returns a role's token, or "" if its person has been disabled.
func (s *stack) tokenOf(role ticket.Role) string {
	for _, t := range s.tokens {
		if t.Role == role {
			return t.Token
		}
	}
	return ""
}

// relativeDir returns a directory relative to the working directory if it is inside it, and dir otherwise.
func relativeDir(dir string) string {
	here, err := os.Getwd()
	if err != nil {
		return dir
	}
	short, err := filepath.Rel(here, dir)
	if err != nil || !filepath.IsLocal(short) {
		return dir
	}
	return short
}
