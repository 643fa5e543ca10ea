package account

import (
	"context"
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// RateLimit is a rate limit: Burst uses at once, and one more after each Interval.
type RateLimit struct {
	name     string
	Burst    int
	Interval time.Duration
}

// Limits are stored in PostgreSQL, so they hold across replicas. A source may be an entire office; a successful sign-in
// is refunded to it.
//
// An attacker who exhausts a limit must not lock the account's owner out. Exhausting the sign-ins of an address blocks
// only passwords, and each kind of mail has a limit of its own: registrations of an address use up neither its sign-in
// links nor its resets. An attacker who requests links fills the owner's mailbox with working links, each valid for
// longer than the limit takes to allow the next one. A browser in which the owner has signed in before has limits of
// its own.
var (
	signInsPerAddress          = RateLimit{name: "sign-ins of address", Burst: 10, Interval: 5 * time.Minute}
	signInsPerSource           = RateLimit{name: "sign-ins of source", Burst: 60, Interval: 20 * time.Second}
	reauthenticationsPerPerson = RateLimit{name: "repeated passwords of person", Burst: 10, Interval: 5 * time.Minute}
	linksPerAddress            = RateLimit{name: "links to address", Burst: 5, Interval: 15 * time.Minute}
	resetsPerAddress           = RateLimit{name: "resets to address", Burst: 5, Interval: 15 * time.Minute}
	registrationsPerAddress    = RateLimit{name: "registrations to address", Burst: 3, Interval: 30 * time.Minute}
	addressesPerPerson         = RateLimit{name: "moves of person", Burst: 5, Interval: 15 * time.Minute}
	mailsPerSource             = RateLimit{name: "mails of source", Burst: 30, Interval: time.Minute}
	passwordsPerLink           = RateLimit{name: "passwords of link", Burst: 10, Interval: time.Minute} // counts only those that are hashed
)

var (
	errLimited       = fault.New(fault.Limited, "too many attempts; wait a few minutes and try again")
	errSignInLimited = fault.New(fault.Limited, "too many attempts; request a sign-in link by email instead, or try again in a few minutes")
	errMailLimited   = fault.New(fault.Limited, "too many requests; a link that was sent earlier may still work, so check the mailbox, or try again in a few minutes")
)

// RateLimitSecret names the secret from which the keys of rate limits are derived.
const RateLimitSecret = "account allowances"

// limitBoth takes one use of the limits of an address and a source. It returns a Limited fault if either is exhausted;
// refund returns both uses.
func (s *Service) limitBoth(ctx context.Context, address, source string, perAddress, perSource RateLimit) (refund func() error, err error) {
	bySource, err := s.limit(ctx, perSource, network(source))
	if err != nil {
		return nil, err
	}
	byAddress, err := s.limit(ctx, perAddress, strings.ToLower(address))
	if err != nil {
		return nil, err
	}
	return func() error {
		if err := s.store.Return(ctx, bySource, perSource); err != nil {
			return err
		}
		return s.store.Return(ctx, byAddress, perAddress)
	}, nil
}

// limitedAs replaces a Limited fault by one with a more specific message.
func limitedAs(err error, spent *fault.Error) error {
	if errors.Is(err, errLimited) {
		return spent
	}
	return err
}

// limit takes one use of a limit. It returns a Limited fault if none is left. The key identifies the use for a refund.
func (s *Service) limit(ctx context.Context, a RateLimit, of string) (key []byte, err error) {
	secret, err := s.store.Secret(ctx, RateLimitSecret)
	if err != nil {
		return nil, err
	}
	key = a.Key(secret, of)
	switch ok, err := s.store.Spend(ctx, key, a); {
	case err != nil:
		return nil, err
	case !ok:
		return nil, errLimited
	default:
		return key, nil
	}
}

// Key returns the key under which the limit of one subject is stored.
func (a RateLimit) Key(secret []byte, of string) []byte {
	return keyedMAC(secret, a.name+"\x00"+of)
}

// network maps an IPv4 address to itself and an IPv6 address to its /64, which one subscriber controls. All invalid
// addresses share one limit.
func network(source string) string {
	ip, err := netip.ParseAddr(source)
	if err != nil {
		return ""
	}
	if ip = ip.Unmap().WithZone(""); ip.Is6() {
		prefix, _ := ip.Prefix(64) // a valid length
		return prefix.String()
	}
	return ip.String()
}

// Limits on what a signed-in person writes. A customer on a bad day sends a few tickets and a dozen replies, and cannot
// flood a queue at the rate of the refill. Staff act on a hundred tickets at once, several times in a row. Every write
// may cause mails, so mails are bounded, too. API tokens of staff have a limit of their own, so that a program never
// blocks its owner; those of customers don't, because any customer can create one.
var (
	ticketsPerCustomer          = RateLimit{name: "tickets of customer", Burst: 20, Interval: time.Minute}
	commandsPerCustomer         = RateLimit{name: "commands of customer", Burst: 60, Interval: 10 * time.Second}
	commandsPerStaff            = RateLimit{name: "commands of staff", Burst: 1000, Interval: time.Second}
	commandsPerToken            = RateLimit{name: "commands of token", Burst: 5000, Interval: 100 * time.Millisecond}
	uploadsPerCustomer          = RateLimit{name: "uploads of customer", Burst: 60, Interval: 2 * time.Minute}
	uploadsPerStaff             = RateLimit{name: "uploads of staff", Burst: 300, Interval: 10 * time.Second}
	uploadsPerToken             = RateLimit{name: "uploads of token", Burst: 1000, Interval: time.Second}
	invitationsPerAdministrator = RateLimit{name: "invitations of", Burst: 50, Interval: time.Minute} // enough for a department
)

// by returns the limit of what a person does by email, which is another one if nothing confirms that they wrote the email: others who
// write in their name don't lock them out.
func (a RateLimit) by(sender desk.EmailSender) RateLimit {
	if sender != "" {
		a.name += " by " + string(sender) + " email"
	}
	return a
}

// TicketLimit returns a person's limit for new tickets. Only customers submit them.
func TicketLimit(by desk.Person) RateLimit { return ticketsPerCustomer.by(by.Sender) }

// CommandLimit returns a person's limit for all other writes: commands, ratings and suggestions.
func CommandLimit(by desk.Person) RateLimit {
	switch {
	case !by.Role.Staff():
		return commandsPerCustomer.by(by.Sender)
	case by.Token:
		return commandsPerToken
	default:
		return commandsPerStaff
	}
}

// UploadLimit returns a person's limit for uploading files, which bounds what they can add to the blob store.
func UploadLimit(by desk.Person) RateLimit {
	switch {
	case !by.Role.Staff():
		return uploadsPerCustomer
	case by.Token:
		return uploadsPerToken
	default:
		return uploadsPerStaff
	}
}

// Scaled returns a limit n times as generous.
func (a RateLimit) Scaled(n int) RateLimit {
	a.Burst, a.Interval = a.Burst*n, a.Interval/time.Duration(n)
	return a
}

// Horizon returns how far ahead of now a limit may be used while n more uses still fit.
func (a RateLimit) Horizon(n int) time.Duration { return time.Duration(a.Burst-n) * a.Interval }
