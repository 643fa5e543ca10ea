package main

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

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
	fmt.Fprintf(table, "  Temporal UI\t%s\t(gRPC at %s)\n", s.ui, loopback(s.command.TemporalPort))
	fmt.Fprintf(table, "  PostgreSQL\t%s\t(database %s; password in %s)\n", loopback(s.command.PostgresPort), database,
		filepath.Join(relativeDir(s.command.Data), partPostgres, "password"))
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

`, s.url(), cmp.Or(s.tokenOf(ticket.RoleCustomer), "sd_…"))
	_, err := fmt.Fprint(s.stdout, b.String())
	return err
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
