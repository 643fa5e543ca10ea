package main

import (
	"cmp"
	"fmt"
	"os"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/store"
)

type policyPublish struct {
	File      string `arg:"" type:"existingfile" help:"The YAML document."`
	Reason    string `required:"" placeholder:"TEXT" help:"Why it changes, for customers to read."`
	Effective string `placeholder:"RFC3339" help:"When it takes effect for new tickets, such as 2027-01-01T00:00:00Z; default: now."`
	Author    string `placeholder:"HANDLE" help:"Who publishes it: the handle or email address of a supervisor or an administrator."`
}

func (c policyPublish) Run(p *program) error {
	if _, err := readPolicy(p, c.File); err != nil {
		return err
	}
	document, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("read the policy: %w", err)
	}
	publication := desk.Publication{Document: document, Author: "supportdesk policy publish", Reason: c.Reason}
	if c.Effective != "" {
		if publication.Effective, err = time.Parse(time.RFC3339, c.Effective); err != nil {
			return fmt.Errorf("--effective %q is not an RFC 3339 instant such as 2027-01-01T00:00:00Z", c.Effective)
		}
	}
	if err := publication.Check(); err != nil {
		return err
	}
	return p.withStore(func(db *store.Store) error {
		if c.Author != "" {
			person, err := db.PersonByHandleOrAddress(p.ctx, c.Author)
			if err != nil {
				return err
			}
			if !person.Role.Commands() {
				return fmt.Errorf("--author %s is neither a supervisor nor an administrator", c.Author)
			}
			publication.Author = string(person.ID)
		}
		published, err := app.Publish(p.ctx, db, publication)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "policy version %d takes effect at %s\n", published.Version, published.Effective.UTC().Format(time.RFC3339))
		return err
	})
}

type policyList struct{}

func (policyList) Run(p *program) error {
	return p.withStore(func(db *store.Store) error {
		records, err := db.PolicyVersionRecords(p.ctx)
		if err != nil {
			return err
		}
		editions := make([]desk.PolicyVersion, len(records))
		for i, r := range records {
			editions[i] = r.PolicyVersion
		}
		inForce := desk.InForce(editions, time.Now())
		table := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "VERSION\tEFFECTIVE\tSTATE\tOPEN TICKETS\tAUTHOR\tREASON")
		for i, r := range records {
			state := [...]string{"ahead", "in force", "past"}[cmp.Compare(i, inForce)+1]
			fmt.Fprintf(table, "%d\t%s\t%s\t%d\t%s\t%s\n", r.Version, r.Effective.UTC().Format(time.RFC3339), state, r.Tickets, r.Publisher, r.Reason)
		}
		return table.Flush()
	})
}

type policyDiff struct {
	Old string `arg:"" help:"Version number or YAML document."`
	New string `arg:"" help:"Version number or YAML document."`
}

func (c policyDiff) Run(p *program) error {
	was, err := c.read(p, c.Old)
	if err != nil {
		return err
	}
	is, err := c.read(p, c.New)
	if err != nil {
		return err
	}
	differences := is.Differences(was)
	if len(differences) == 0 {
		fmt.Fprintln(p.stdout, "No differences.")
	}
	for _, d := range differences {
		if _, err := fmt.Fprintln(p.stdout, d); err != nil {
			return err
		}
	}
	return nil
}

// read returns a version from the database if name is a number, or else the policy in a file.
func (policyDiff) read(p *program, name string) (found *policy.Policy, err error) {
	version, notANumber := strconv.ParseInt(name, 10, 64)
	if notANumber != nil {
		return readPolicy(p, name)
	}
	err = p.withStore(func(db *store.Store) error {
		found, err = db.Policy(p.ctx, version)
		return err
	})
	return found, err
}
