package desk

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// PolicyVersion is a published policy. Versions are numbered from 1; the highest that has taken effect is in force.
type PolicyVersion struct {
	Version   int64
	Author    ticket.Role // of the publisher; RoleOperator if that is not a person with an account
	Reason    string
	Effective time.Time // when it took or takes effect
	Published time.Time
	Policy    *policy.Policy
	Document  []byte // YAML, as published
}

// Public returns the public parts of the policy and its document; see policy.Public.
func (v PolicyVersion) Public() (*policy.Policy, []byte, error) {
	document, err := v.Policy.PublicDocument(v.Document)
	return v.Policy.Public(), document, err
}

// PolicyVersionRecord is a policy version as supervisors see it.
type PolicyVersionRecord struct {
	PolicyVersion
	Publisher string // name of the person or the program that published it
	Tickets   int    // open tickets pinned to it
}

// InForce returns the index of the version in force at an instant, and -1 if there is none. The versions are sorted newest
// first.
func InForce(versions []PolicyVersion, at time.Time) int {
	return slices.IndexFunc(versions, func(v PolicyVersion) bool { return !v.Effective.After(at) })
}

// MaxReason is the maximum length of the reason for a publication, in characters.
const MaxReason = 500

// Publication is a request to publish a policy document as the next version.
type Publication struct {
	Document       []byte // YAML
	Author         string // ID of a person, or name of a program
	Reason         string
	Effective      time.Time // when it takes effect for new tickets, to the second; zero: now
	IdempotencyKey IdempotencyKey
}

// Published is the answer to a publication.
type Published struct {
	Version   int64
	Effective time.Time
	At        time.Time // when it was published
	Again     bool      // published before, with the same key
}

// Check returns an Invalid fault if reason or effective date are invalid, as far as that can be checked without the
// database. policy.Parse checks the document.
func (p Publication) Check() error {
	var wrong fault.Details
	switch reason := strings.TrimSpace(p.Reason); {
	case !Visible(reason):
		wrong.Add("reason", "must say why the policy changes; customers will read it")
	case utf8.RuneCountInString(reason) > MaxReason:
		wrong.Add("reason", "is longer than 500 characters")
	case strings.ContainsFunc(strings.NewReplacer("\r\n", "", "\n", "", "\t", "").Replace(reason), forbidden) || !utf8.ValidString(reason):
		wrong.Add("reason", "must be plain text, and all of it visible")
	}
	if !p.Effective.IsZero() && p.Effective.Year() > 9999 {
		wrong.Add("effective_at", "is too far in the future")
	}
	return wrong.Err()
}

// Draft is the result of checking a document before its publication.
type Draft struct {
	Problems    policy.Problems // if not empty, only InForce is set beside it
	Advice      []string
	Examples    []ExamplePair
	Differences []policy.Difference // to the policy in force
	InForce     int64               // version in force
}

// ExamplePair is a worked example under a draft and under the policy in force.
type ExamplePair struct {
	policy.Example
	Today policy.Deadlines // under the policy in force; zero: it has no such example
}

// MaxChosen is the maximum number of tickets in a TicketChoice.
const MaxChosen = 1000

// TicketChoice selects open tickets to move to another policy version: those listed, or all pinned to a version.
type TicketChoice struct {
	Tickets []ticket.Number
	From    int64 // version; 0: those listed
}

// Check returns an Invalid fault unless the choice has either tickets, at most MaxChosen, or a version other than the target.
func (c TicketChoice) Check(version int64) error {
	switch {
	case (len(c.Tickets) > 0) == (c.From != 0):
		return fault.Field("tickets", "choose tickets, or a version from which all open ones are moved")
	case len(c.Tickets) > MaxChosen:
		return fault.Field("tickets", "must name %d tickets at most", MaxChosen)
	case c.From < 0 || c.From == version:
		return fault.Field("from_version", "must be another version")
	}
	return nil
}

// Without returns the choice without the accepted tickets.
func (c TicketChoice) Without(accepted []Adopted) TicketChoice {
	c.Tickets = slices.DeleteFunc(slices.Clone(c.Tickets), func(n ticket.Number) bool {
		return slices.ContainsFunc(accepted, func(m Adopted) bool { return m.Number == n })
	})
	return c
}

// Adoption is the answer to a request to move tickets.
type Adoption struct {
	Accepted []Adopted
	Unmoved  []NotAdopted
	Again    bool // accepted before, with the same key
}

// Adopted is the accepted command that moves a ticket.
type Adopted struct {
	Number ticket.Number
	Seq    int64
}

// NotAdopted is a chosen ticket that can't be moved.
type NotAdopted struct {
	Number ticket.Number
	Code   string
	Reason string
}

// AdoptionAudit counts the moves to a version by outcome and lists the latest.
type AdoptionAudit struct {
	Granted, Refused, Undecided int
	Latest                      []AdoptionLine
}

// AdoptionLine is one move.
type AdoptionLine struct {
	Number  ticket.Number
	At      time.Time
	By      string // name of the person, or the source of a manual command
	From    int64  // previous version; 0: not granted
	Decided bool
	Code    string // of a refusal
	Reason  string
}

// AdoptionDryRun is the result of a dry run of a move.
type AdoptionDryRun struct {
	Tickets   int
	Earlier   int // deadlines that would move to an earlier time
	Later     int
	DueAtOnce int // deadlines that would have passed already
	Mails     int // to requesters whose deadlines change
	Moves     []AdoptionMove
	Unmoved   []NotAdopted
}

// AdoptionMove is the effect of a move on one ticket.
type AdoptionMove struct {
	Number   ticket.Number
	From     int64
	Promises []PromiseMove // those that change
}

// PromiseMove is the deadline of a promise before and after a move. It is zero while the clock is paused.
type PromiseMove struct {
	Clock     policy.ClockName
	Was, Is   time.Time
	DueAtOnce bool
}
