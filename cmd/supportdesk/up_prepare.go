package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/demo"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/local"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// database is the name of up's database.
const database = "supportdesk"

// token is a bearer token that up stores in a file, so that it stays the same after a restart.
type token struct {
	Role  ticket.Role `json:"role"`
	Token string      `json:"token"`
}

// linkLifetime is long enough for a working day. Only the terminal shows the links.
const linkLifetime = 12 * time.Hour

// signInLink signs a person in on the website, once.
type signInLink struct {
	role    ticket.Role
	address string // email address of the person
	url     string
}

// prepare brings the schema, the policy, Temporal and the people up to date.
func (s *stack) prepare(ctx context.Context, postgres *local.Postgres) error {
	if _, err := postgres.EnsureDatabase(ctx, database); err != nil {
		return err
	}
	if err := s.migrate(ctx); err != nil {
		return err
	}
	return s.configured(ctx).withStore(func(db *store.Store) error {
		version, inForce, _, err := db.PolicyInForce(ctx)
		if err != nil {
			return err
		}
		s.policy = fmt.Sprintf("%s, version %d", inForce.Name, version)
		return s.ensurePeople(ctx, db)
	})
}

// configured returns the program with the environment of the stack's parts.
func (s *stack) configured(ctx context.Context) *program {
	return withSettings(program{ctx: ctx, stdout: s.said, stderr: s.stderr}, s.env)
}

// withSettings returns a program whose environment consists of lines such as KEY=value.
func withSettings(p program, env []string) *program {
	settings := map[string]string{}
	for _, line := range env {
		key, value, _ := strings.Cut(line, "=")
		settings[key] = value
	}
	p.getenv = func(key string) string { return settings[key] }
	return &p
}

// addDemoTickets adds demonstration tickets if the option is set. It has no time limit, because the stack is running.
func (s *stack) addDemoTickets() error {
	if !s.command.Demo && s.command.DemoTickets == 0 {
		return nil
	}
	return demoCommand{Tickets: s.command.DemoTickets, Open: s.command.DemoOpen}.Run(s.configured(s.ctx))
}

// makeLinks creates a sign-in link for each person.
func (s *stack) makeLinks() error {
	return s.configured(s.ctx).withStore(func(db *store.Store) error {
		accounts := account.New(db.Accounts(), s.url())
		for _, person := range s.people {
			url, err := accounts.CreateLink(s.ctx, person.Address, linkLifetime)
			if err != nil {
				return fmt.Errorf("make a link for the %s: %w", person.Role, err)
			}
			s.links = append(s.links, signInLink{role: person.Role, address: person.Address, url: url})
		}
		return nil
	})
}

// migrate runs the migrate command in the environment of the stack.
func (s *stack) migrate(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, s.self, "migrate")
	if s.command.Policy != "" {
		cmd.Args = append(cmd.Args, "--policy", s.command.Policy)
	}
	cmd.Env, cmd.Stdout, cmd.Stderr = s.env, s.said, s.stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	return nil
}

// ensurePeople adds missing people, and issues a token for each who has no valid one.
func (s *stack) ensurePeople(ctx context.Context, db *store.Store) error {
	file := filepath.Join(s.command.Data, "tokens.json")
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &s.tokens)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read %s: %w; remove it to have new tokens created", file, err)
	}
	kept := map[ticket.Role]string{}
	for _, t := range s.tokens {
		if _, err := db.ByToken(ctx, t.Token, true); err == nil {
			kept[t.Role] = t.Token
		}
	}
	s.tokens = nil
	for _, person := range demo.LocalPeople() {
		known, err := demo.EnsurePerson(ctx, db, person)
		if fault.KindOf(err) == fault.NotFound { // an administrator has disabled them; don't undo that
			continue
		}
		if err == nil && kept[person.Role] == "" {
			kept[person.Role], err = db.IssueToken(ctx, known.ID, "supportdesk up")
		}
		if err != nil {
			return fmt.Errorf("invite the %s: %w", person.Role, err)
		}
		s.people = append(s.people, known)
		s.tokens = append(s.tokens, token{Role: person.Role, Token: kept[person.Role]})
	}
	if text, err = json.MarshalIndent(s.tokens, "", "  "); err != nil {
		return err
	}
	return local.ReplaceFile(file, text, false)
}

// demoCommand adds invented tickets. It is hidden, because it must not be used in production.
type demoCommand struct {
	Tickets int `help:"Number of tickets."`
	Open    int `help:"Most tickets that are open, about: each is a workflow. Default: 2,000, so that Temporal is not flooded."`
}

// demoStore combines the use cases that adding demonstration tickets needs.
type demoStore struct {
	*store.Store
	*app.Imports
	*app.Staffing
	*app.Workspace
}

// manyTickets is the number of tickets from which on a message says that adding them takes a while.
const manyTickets = 5000

// Run adds the tickets. It is idempotent.
func (c demoCommand) Run(p *program) error {
	if c.Tickets < 0 || c.Open < 0 {
		return fault.New(fault.Invalid, "--tickets and --open must not be negative")
	}
	if c.Tickets > manyTickets {
		if _, err := fmt.Fprintf(p.stdout, "Adding up to %d demo tickets; a thousand take a second or two.\n", c.Tickets); err != nil {
			return err
		}
	}
	return p.withStore(func(db *store.Store) error {
		added, err := demo.Fill(p.ctx, demoStore{db, app.NewImports(db), app.NewStaffing(db), app.NewWorkspace(db)}, demo.Options{Tickets: c.Tickets, MaxOpen: c.Open})
		if err != nil || added == 0 {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "%d demo tickets have been added\n", added)
		return err
	})
}
