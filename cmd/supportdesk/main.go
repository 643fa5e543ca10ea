// Command supportdesk runs the API and website, the worker, the whole stack on one machine (up), and administrative
// tools. It is the only package that may import all others.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // deadlines must not depend on the host's time zone database

	"github.com/alecthomas/kong"

	"github.com/holesalemart/supportdesk/internal/logging"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if err := run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr); err != nil {
		if !errors.Is(err, errReported) {
			fmt.Fprintf(os.Stderr, "supportdesk: %v\n", err)
		}
		os.Exit(1)
	}
}

// errReported is returned by a command that has already printed why it failed.
var errReported = errors.New("reported")

// program is the environment of a command.
type program struct {
	ctx    context.Context
	getenv func(string) string
	stdout io.Writer
	stderr io.Writer
	serves bool // it runs until it is stopped, and logs
}

type commands struct {
	Up        upCommand        `cmd:"" help:"Run everything on this machine: PostgreSQL, Temporal with its UI, a mailbox, the worker, the receiver of mail and the API."`
	API       apiCommand       `cmd:"" name:"api" help:"Serve the HTTP API and the website, and deliver what they accept."`
	Mail      mailCommand      `cmd:"" help:"Receive mail and turn it into tickets and messages."`
	Worker    workerCommand    `cmd:"" help:"Run workflows and activities, and send emails."`
	Migrate   migrateCommand   `cmd:"" help:"Bring the database schema, the policy and Temporal's search attributes up to date."`
	People    peopleCommands   `cmd:"" help:"Add, list and disable people, and manage their tokens."`
	Doctor    doctorCommand    `cmd:"" help:"Look for problems: lost workflows, inconsistent tickets, blocking sessions. Fails if there are any."`
	Reconcile reconcileCommand `cmd:"" help:"Start or check the workflow of every open ticket, and end those of closed ones, after Temporal has lost its data or was restored."`
	Workers   workersCommands  `cmd:"" help:"List the versions of the workers, and choose which of them get tasks from Temporal."`
	Policy    policyCommands   `cmd:"" help:"Check, publish and compare policies, and compute deadlines."`
	Version   versionCommand   `cmd:"" help:"Print the version."`

	Restored restoredCommand `cmd:"" help:"Bring Temporal in line with a database that was restored from a backup."`

	Health       healthCommand       `cmd:"" hidden:"" help:"Check whether a process is healthy, for a container's health check."`
	Demo         demoCommand         `cmd:"" hidden:"" help:"Add invented tickets."`
	LocalAPI     localAPICommand     `cmd:"" name:"local-api" hidden:"" help:"The API with the mailbox's pages, for up."`
	LocalMailbox localMailboxCommand `cmd:"" name:"local-mailbox" hidden:"" help:"The mailbox, for up."`
}

const description = `Customer support whose promises keep themselves.

All commands except up, and those of policy that only read files, are configured by environment variables
(SUPPORTDESK_…, TEMPORAL_…), which the README lists.`

func run(ctx context.Context, args []string, getenv func(string) string, stdout, stderr io.Writer) error {
	exited := false
	parser, err := kong.New(&commands{},
		kong.Name("supportdesk"), kong.Description(description), kong.Writers(stdout, stderr),
		kong.Exit(func(int) { exited = true }), kong.UsageOnError(),
	)
	if err != nil {
		return fmt.Errorf("describe the commands: %w", err)
	}
	chosen, err := parser.Parse(args)
	if exited { // --help was printed
		return nil
	}
	if err != nil {
		return fmt.Errorf("%w (supportdesk --help lists the commands)", err)
	}
	p := &program{ctx: ctx, getenv: getenv, stdout: stdout, stderr: stderr}
	return p.logEnd(chosen.Run(p))
}

// logEnd logs why a process that serves has ended, if its lines are JSON, as what reads them expects no other.
func (p *program) logEnd(err error) error {
	if err == nil || !p.serves || p.getenv(logging.Variable) != logging.JSON {
		return err
	}
	p.logger(logging.JSON, slog.LevelError).Error("the process has ended", "error", err)
	return errReported
}
