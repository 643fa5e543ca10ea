package main

import (
	"fmt"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/demo"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/store"
)

// demoCommand adds invented tickets. It is hidden, because it must not be used in production.
type demoCommand struct {
	Tickets int `help:"Number of tickets. Above 4,000 they are all closed, so that Temporal isn't flooded."`
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
	if c.Tickets < 0 {
		return fault.New(fault.Invalid, "--tickets must not be negative")
	}
	if c.Tickets > manyTickets {
		if _, err := fmt.Fprintf(p.stdout, "Adding up to %d demo tickets; a thousand take a second or two.\n", c.Tickets); err != nil {
			return err
		}
	}
	return p.withStore(func(db *store.Store) error {
		added, err := demo.Fill(p.ctx, demoStore{db, app.NewImports(db), app.NewStaffing(db), app.NewWorkspace(db)}, demo.Options{Tickets: c.Tickets})
		if err != nil || added == 0 {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "%d demo tickets have been added\n", added)
		return err
	})
}
