// Command bench measures the product as it runs in production: its own processes with a real PostgreSQL, Temporal and SMTP
// server, under load from clients over HTTP. Beside each figure stands what the same machine does at best with a bare
// alternative, as a ratio, because machines differ and are shared. It prints a table and writes the same as JSON.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // for the policies' time zones

	"github.com/alecthomas/kong"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var err error
	if address := os.Getenv(bareServer); address != "" {
		err = workBare(ctx, address, os.Stdin, os.Stdout)
	} else {
		err = run(ctx, os.Args[1:], os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// settings are the command line, and part of the result.
type settings struct {
	Only    []string `help:"Sections to run, separated by commas. Default: all." json:"only"`
	Scale   float64  `default:"1" help:"Factor for all numbers below, for shorter runs."`
	List    bool     `help:"List the sections." json:"-"`
	JSON    string   `help:"File for the result as JSON." json:"-"`
	Program string   `help:"The program to measure. Default: supportdesk beside this program." json:"-"`
	Env     []string `sep:"none" help:"NAME=VALUE for the program's processes; may be repeated."`

	Submissions int `default:"1000" help:"Submissions at 8 and at 32 clients; a quarter of that at 1. Default: ${default}."`
	Commands    int `default:"1200" help:"Commands at 8 clients; a quarter of that at 1. Default: ${default}."`
	Rush        int `default:"5000" help:"Submissions of the rush. Default: ${default}."`
	Backlog     int `default:"2000" help:"Tickets submitted while the worker is stopped. Default: ${default}."`
	Lives       int `default:"24" help:"Whole lives of tickets. Default: ${default}."`
	Alone       int `default:"20" help:"Breaches one after the other. Default: ${default}."`
	AtOnce      int `default:"1000" help:"Breaches at one instant. Default: ${default}."`
	Emergency   int `default:"10000" help:"Open tickets in the emergency. Default: ${default}."`
	Cached      int `default:"2000" help:"Tickets in the worker's memory. Default: ${default}."`
	Pages       int `default:"1000" help:"Open pages, at most 1,200. Default: ${default}."`
	Changes     int `default:"50" help:"Changes that the open pages learn of. Default: ${default}."`
	Tickets     int `default:"1000000" help:"Tickets of the section million. Default: ${default}."`
	Open        int `default:"100000" help:"Those of them that are open, about. Default: ${default}."`
	Mails       int `default:"400" help:"Emails by LMTP at 1 and at 8 connections; a fifth of that to the page. Default: ${default}."`

	Pace       float64       `default:"10" help:"Commands per second of the staff at rest and in the rush; 0: each sends the next at once. Default: ${default}."`
	AtOncePace int           `default:"20" help:"Tickets per second that the machine can work off, to choose their common instant. Default: ${default}."`
	Idle       time.Duration `default:"1m" help:"How long each idle desk is observed. Default: ${default}."`
}

// section is a part of the program that can be run alone. Each has a stack of its own, so that none depends on what another
// left behind.
type section struct {
	name, what string
	run        func(*bench) error
}

var sections = []section{
	{"submissions", "tickets accepted at 1, 8 and 32 clients", submissions},
	{"commands", "commands of staff at 1 and 8 clients, until the new state is answered", commandsAtRest},
	{"rush", "commands of staff during a rush of submissions", rush},
	{"backlog", "tickets per second after the worker was stopped", backlog},
	{"lives", "what the whole life of a ticket costs in Temporal, and how long its receipt takes", lives},
	{"breach", "how late the breach of a ticket alone is recorded", breachesAlone},
	{"breaches", "how late breaches are recorded that happen at one instant", breachesAtOnce},
	{"emergency", "an emergency that pauses every open ticket, and its end", emergency},
	{"idle", "what 100, 1,000 and 10,000 open tickets cost while nothing happens", idle},
	{"memory", "the worker's memory of each cached ticket", workerMemory},
	{"pages", "how soon open pages learn of a change", livePages},
	{"million", "lists, search, reports and pages at 1,000,000 tickets of which 100,000 are open", million},
	{"mail", "incoming email by LMTP, and until it is on an open page", mails},
}

// bench is what a section works with.
type bench struct {
	ctx      context.Context
	settings settings
	report   *report
}

// scaled returns a number for this run, at least one.
func (b *bench) scaled(n int) int { return max(1, int(math.Round(float64(n)*b.settings.Scale))) }

func run(ctx context.Context, args []string, stdout io.Writer) error {
	var s settings
	exited := false
	parser, err := kong.New(&s, kong.Name("bench"), kong.Description("Measure the product beside bare alternatives."),
		kong.Writers(stdout, stdout), kong.Exit(func(int) { exited = true }))
	if err != nil {
		return fmt.Errorf("describe the options: %w", err)
	}
	if _, err := parser.Parse(args); err != nil || exited {
		return err
	}
	if s.List {
		for _, c := range sections {
			fmt.Fprintf(stdout, "%-12s %s\n", c.name, c.what)
		}
		return nil
	}
	chosen, err := choose(s.Only)
	if err != nil {
		return err
	}
	if s.Scale <= 0 {
		return errors.New("--scale must be positive")
	}
	if err := s.findProgram(); err != nil {
		return err
	}
	return measure(ctx, s, chosen, stdout)
}

// measure runs sections. Those that fail don't keep others from running; the result says so.
func measure(ctx context.Context, s settings, chosen []section, stdout io.Writer) error {
	r := newReport(s)
	var errs []error
	for _, c := range chosen {
		fmt.Fprintf(stdout, "%s: %s\n", c.name, c.what)
		r.begin(c.name)
		if err := c.run(&bench{ctx: ctx, settings: s, report: r}); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c.name, err))
			fmt.Fprintf(stdout, "  failed: %v\n", err)
		}
		r.print(stdout, c.name)
		r.finish(errs)
		if s.JSON != "" { // so far: the next section may take hours, or be interrupted
			if err := r.write(s.JSON); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if s.JSON != "" {
		fmt.Fprintln(stdout, "written to", s.JSON)
	}
	return errors.Join(errs...)
}

func choose(names []string) ([]section, error) {
	if len(names) == 0 {
		return sections, nil
	}
	var chosen []section
	for _, name := range names {
		i := slices.IndexFunc(sections, func(c section) bool { return c.name == strings.TrimSpace(name) })
		if i < 0 {
			return nil, fmt.Errorf("there is no section %q; --list lists them", name)
		}
		chosen = append(chosen, sections[i])
	}
	return chosen, nil
}

func (s *settings) findProgram() error {
	if s.Program == "" {
		self, err := os.Executable()
		if err != nil {
			return fmt.Errorf("find this program: %w", err)
		}
		s.Program = filepath.Join(filepath.Dir(self), "supportdesk")
	}
	if _, err := os.Stat(s.Program); err != nil {
		return fmt.Errorf("find the program to measure: %w", err)
	}
	return nil
}
