package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

type policyCommands struct {
	Check policyCheck `cmd:"" help:"Validate a policy document, print worked examples and what deserves a second look."`
	Due   policyDue   `cmd:"" help:"Print both deadlines of a ticket accepted at an instant, as JSON in UTC."`

	Publish  policyPublish  `cmd:"" help:"Publish a document as the next version, for good."`
	List     policyList     `cmd:"" help:"List the published versions."`
	Diff     policyDiff     `cmd:"" help:"Tell in words what one version or document says otherwise than another."`
	Holidays policyHolidays `cmd:"" help:"Print the holidays of an iCalendar file, as a policy has them."`
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
	Priority policy.Priority `default:"normal" enum:"low,normal,high,urgent" help:"${enum}; default ${default}."`
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
	promises, err := document.Promise(at.Truncate(time.Second), c.Priority)
	if err != nil {
		return err
	}
	return json.NewEncoder(p.stdout).Encode(struct {
		FirstResponse time.Time `json:"first_response_due"`
		Resolution    time.Time `json:"resolution_due"`
	}{promises.FirstResponse.UTC(), promises.Resolution.UTC()})
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

// place is file:line:column: path, as far as it is known, in the form that editors jump to.
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
