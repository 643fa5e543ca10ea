package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/holiday"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/store"
)

type policyCommands struct {
	Check policyCheck `cmd:"" help:"Validate a policy document, and print worked examples and warnings."`
	Due   policyDue   `cmd:"" help:"Print both deadlines of a ticket accepted at an instant, as JSON in UTC."`

	Publish  policyPublish  `cmd:"" help:"Publish a document as the next version. It can't be withdrawn."`
	List     policyList     `cmd:"" help:"List the published versions."`
	Diff     policyDiff     `cmd:"" help:"Describe in words how two versions or documents differ."`
	Holidays policyHolidays `cmd:"" help:"Print the holidays of an iCalendar file in the format of a policy."`
}

type policyCheck struct {
	File string `arg:"" type:"existingfile" help:"The YAML document."`
}

func (c policyCheck) Run(p *program) error {
	document, err := readPolicy(p, c.File)
	if err != nil {
		return err
	}
	document.WriteCheck(p.stdout, time.Now())
	return nil
}

type policyDue struct {
	File     string          `arg:"" type:"existingfile" help:"The YAML document."`
	At       string          `required:"" placeholder:"RFC3339" help:"When the ticket is accepted, such as 2026-11-30T10:00:00Z."`
	Priority policy.Priority `default:"normal" enum:"low,normal,high,urgent" help:"${enum}. Default: ${default}."`
}

func (c policyDue) Run(p *program) error {
	document, err := readPolicy(p, c.File)
	if err != nil {
		return err
	}
	at, err := time.Parse(time.RFC3339, c.At)
	if err != nil {
		return fmt.Errorf("--at %q is not an RFC 3339 instant such as 2026-11-30T10:00:00Z", c.At)
	}
	promises, err := document.DeadlinesFor(at.Truncate(time.Second), c.Priority)
	if err != nil {
		return err
	}
	return json.NewEncoder(p.stdout).Encode(struct {
		FirstResponse time.Time `json:"first_response_due"`
		Resolution    time.Time `json:"resolution_due"`
	}{promises.FirstResponse.UTC(), promises.Resolution.UTC()})
}

type policyHolidays struct {
	File string `arg:"" type:"existingfile" help:"The iCalendar file."`
	From string `placeholder:"DATE" help:"First day, such as 2027-01-01. Default: the first of this year."`
	To   string `placeholder:"DATE" help:"Last day. Default: two years from the first."`
}

func (c policyHolidays) Run(p *program) error {
	in := holiday.Years(time.Now().UTC(), 2)
	var err error
	if c.From != "" {
		if in.From, err = time.Parse(time.DateOnly, c.From); err != nil {
			return fmt.Errorf("--from %q is not a date such as 2027-01-01", c.From)
		}
		in.To = in.From.AddDate(2, 0, -1)
	}
	if c.To != "" {
		if in.To, err = time.Parse(time.DateOnly, c.To); err != nil {
			return fmt.Errorf("--to %q is not a date such as 2027-12-31", c.To)
		}
	}
	file, err := os.Open(c.File)
	if err != nil {
		return fmt.Errorf("read the calendar: %w", err)
	}
	defer func() { _ = file.Close() }()
	days, err := holiday.Parse(file, in)
	if err != nil {
		return fmt.Errorf("%s: %w", c.File, err)
	}
	if len(days) == 0 {
		return errors.New(c.File + ": no all-day event from " + in.From.Format(time.DateOnly) + " to " + in.To.Format(time.DateOnly))
	}
	_, err = fmt.Fprint(p.stdout, policy.HolidaysYAML(days))
	return err
}

// readPolicy reads a document and prints a line for each of its errors.
func readPolicy(p *program, file string) (*policy.Policy, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the policy: %w", err)
	}
	document, err := policy.Parse(text)
	problems, ok := errors.AsType[policy.Problems](err)
	if !ok {
		return document, err
	}
	for _, problem := range problems {
		if _, err := fmt.Fprintf(p.stderr, "%s: %s\n", place(file, problem), problem.Message); err != nil {
			return nil, err
		}
	}
	return nil, errReported
}

// place returns file:line:column: path, as far as known, in the format that editors recognise.
func place(file string, problem policy.Problem) string {
	at := fmt.Sprintf("%s:%d", file, problem.Line)
	if problem.Column > 0 {
		at += fmt.Sprintf(":%d", problem.Column)
	}
	if problem.Path != "" {
		at += ": " + problem.Path
	}
	return at
}

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
	return p.withStoreBriefly(func(ctx context.Context, db *store.Store) error {
		if c.Author != "" {
			person, err := db.PersonByHandleOrAddress(ctx, c.Author)
			if err != nil {
				return err
			}
			if !person.Role.Commands() {
				return fmt.Errorf("--author %s is neither a supervisor nor an administrator", c.Author)
			}
			publication.Author = string(person.ID)
		}
		published, err := app.Publish(ctx, db, publication)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.stdout, "policy version %d takes effect at %s\n", published.Version, published.Effective.UTC().Format(time.RFC3339))
		return err
	})
}

type policyList struct{}

func (policyList) Run(p *program) error {
	return p.withStoreBriefly(func(ctx context.Context, db *store.Store) error {
		records, err := db.PolicyVersionRecords(ctx)
		if err != nil {
			return err
		}
		versions := make([]desk.PolicyVersion, len(records))
		for i, r := range records {
			versions[i] = r.PolicyVersion
		}
		inForce := desk.InForce(versions, time.Now())
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
	err = p.withStoreBriefly(func(ctx context.Context, db *store.Store) error {
		found, err = db.Policy(ctx, version)
		return err
	})
	return found, err
}
