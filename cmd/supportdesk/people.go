package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

type peopleCommands struct {
	Add     peopleAdd     `cmd:"" help:"Add a person and print an API token for them, once."`
	List    peopleList    `cmd:"" help:"List everyone whose account is not disabled."`
	Link    peopleLink    `cmd:"" help:"Print a link that signs a person in, once."`
	Token   peopleToken   `cmd:"" help:"Print a new API token for a person, once, and notify them by email."`
	Revoke  peopleRevoke  `cmd:"" help:"Revoke all API tokens of a person."`
	Disable peopleDisable `cmd:"" help:"Disable a person's account. What they did and wrote stays."`
}

type peopleAdd struct {
	Role   ticket.Role `required:"" enum:"customer,agent,supervisor,administrator" help:"${enum}."`
	Name   string      `required:"" help:"As others see it."`
	Email  string      `required:"" help:"Their email address; unique."`
	Handle string      `help:"Staff only: what Temporal and lists show, such as agent-7. Generated if missing; don't use a personal name."`
}

func (c peopleAdd) Run(p *program) error {
	return p.withStoreBriefly(func(ctx context.Context, db *store.Store) error {
		person, err := db.AddPerson(ctx, desk.Person{Role: c.Role, Name: c.Name, Address: c.Email, Handle: c.Handle})
		if err != nil {
			return err
		}
		return p.printToken(ctx, person, db.IssueToken)
	})
}

// peopleLink prints a sign-in link for a person who can't receive mail yet, such as the first administrator.
type peopleLink struct {
	Email string        `required:"" help:"Of a person who has been added."`
	Lasts time.Duration `default:"1h" help:"How long the link works unless it is used before. Default: ${default}."`
}

func (c peopleLink) Run(p *program) error {
	config, _, err := p.load()
	if err != nil {
		return err
	}
	if c.Lasts <= 0 {
		return errors.New("--lasts must be positive")
	}
	return p.withStoreBriefly(func(ctx context.Context, db *store.Store) error {
		url, err := account.New(db.Accounts(), config.BaseURL).CreateLink(ctx, c.Email, c.Lasts)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(p.stdout, url)
		return err
	})
}

type peopleToken struct {
	Who string `arg:"" help:"Handle or email address."`
}

func (c peopleToken) Run(p *program) error {
	return p.withPerson(c.Who, func(ctx context.Context, db *store.Store, person desk.Person) error {
		return p.printToken(ctx, person, db.IssueTokenAndNotify)
	})
}

func (p *program) printToken(ctx context.Context, person desk.Person, issue func(context.Context, ticket.PersonID, string) (string, error)) error {
	token, err := issue(ctx, person.ID, "supportdesk people")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.stdout, "id: %s\nrole: %s\nhandle: %s\ntoken: %s\n", person.ID, person.Role, person.Handle, token)
	return err
}

type peopleRevoke struct {
	Who string `arg:"" help:"Handle or email address."`
}

func (c peopleRevoke) Run(p *program) error {
	return p.withPerson(c.Who, func(ctx context.Context, db *store.Store, person desk.Person) error {
		n, err := db.RevokeTokens(ctx, person.ID)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "%d tokens revoked\n", n)
		return err
	})
}

type peopleDisable struct {
	Who string `arg:"" help:"Handle or email address."`
}

func (c peopleDisable) Run(p *program) error {
	return p.withPerson(c.Who, func(ctx context.Context, db *store.Store, person desk.Person) error {
		if err := db.DisablePerson(ctx, person.ID); err != nil {
			return err
		}
		f := desk.Filter{Viewer: desk.Person{Role: ticket.RoleAdministrator}, Queue: desk.QueueAll, Open: true, Limit: 100}
		which := "still assigned to them"
		if f.Assignee = string(person.ID); !person.Role.Staff() {
			f.Assignee, f.Requester, which = "", string(person.ID), "that they submitted"
		}
		open, more, err := db.List(ctx, f)
		if err != nil || len(open) == 0 {
			return err
		}
		least := ""
		if more {
			least = "more than "
		}
		_, err = fmt.Fprintf(p.stdout, "open tickets %s: %s%d; an administrator can handle them at /people/%s/disable\n", which, least, len(open), person.ID)
		return err
	})
}

type peopleList struct{}

func (peopleList) Run(p *program) error {
	return p.withStoreBriefly(func(ctx context.Context, db *store.Store) error {
		people, err := db.People(ctx)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "ID\tROLE\tHANDLE\tNAME\tEMAIL")
		for _, one := range people {
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", one.ID, one.Role, one.Handle, one.Name, one.Address)
		}
		return table.Flush()
	})
}

func (p *program) withPerson(who string, do func(context.Context, *store.Store, desk.Person) error) error {
	return p.withStoreBriefly(func(ctx context.Context, db *store.Store) error {
		person, err := db.PersonByHandleOrAddress(ctx, who)
		if err != nil {
			return err
		}
		return do(ctx, db, person)
	})
}
