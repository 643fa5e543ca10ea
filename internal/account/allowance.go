package account

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"net/netip"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// Allowance is how often something may be done: Burst times at once, and once more after each Each.
type Allowance struct {
	name  string
	Burst int
	Each  time.Duration
}

// Kept in PostgreSQL, so they hold across all replicas. A source may be a whole office, and gets back what succeeds.
//
// What a stranger can use up must not keep an owner out. Using up the sign-ins of an address keeps its owner from the
// password only, and each way by mail has an allowance of its own: registrations of an address use up neither its links
// to sign in nor its resets. Asking for links in the owner's place fills the owner's mailbox with links that work: they
// last longer than the allowance takes to let the next one out. A browser in which the owner has signed in before has
// allowances of its own.
var (
	signInsOfAddress       = Allowance{name: "sign-ins of address", Burst: 10, Each: 5 * time.Minute}
	signInsOfSource        = Allowance{name: "sign-ins of source", Burst: 60, Each: 20 * time.Second}
	repeatsOfPerson        = Allowance{name: "repeated passwords of person", Burst: 10, Each: 5 * time.Minute}
	linksToAddress         = Allowance{name: "links to address", Burst: 5, Each: 15 * time.Minute}
	resetsToAddress        = Allowance{name: "resets to address", Burst: 5, Each: 15 * time.Minute}
	registrationsToAddress = Allowance{name: "registrations to address", Burst: 3, Each: 30 * time.Minute}
	movesOfPerson          = Allowance{name: "moves of person", Burst: 5, Each: 15 * time.Minute}
	mailsOfSource          = Allowance{name: "mails of source", Burst: 30, Each: time.Minute}
	passwordsOfLink        = Allowance{name: "passwords of link", Burst: 10, Each: time.Minute} // that were fit to be hashed
)

var (
	errLimited       = fault.New(fault.Limited, "that was tried too often; wait a few minutes and try again")
	errSignInsSpent  = fault.New(fault.Limited, "that was tried too often; have a link mailed to you instead, or try again in a few minutes")
	errAskedTooOften = fault.New(fault.Limited, "that was asked for too often; a link that was mailed before may still work, so look into the mailbox, or try again in a few minutes")
)

// AllowanceSecret is the name of the secret that the keys of allowances are made with.
const AllowanceSecret = "account allowances"

// spend takes one use of each of an address's and a source's allowances, or is Limited. refund gives both back.
func (s *Service) spend(ctx context.Context, address, source string, ofAddress, ofSource Allowance) (refund func() error, err error) {
	bySource, err := s.take(ctx, ofSource, network(source))
	if err != nil {
		return nil, err
	}
	byAddress, err := s.take(ctx, ofAddress, strings.ToLower(address))
	if err != nil {
		return nil, err
	}
	return func() error {
		if err := s.vault.Return(ctx, bySource, ofSource); err != nil {
			return err
		}
		return s.vault.Return(ctx, byAddress, ofAddress)
	}, nil
}

// instead replaces the answer when an allowance is spent.
func instead(err error, spent *fault.Error) error {
	if errors.Is(err, errLimited) {
		return spent
	}
	return err
}

// take takes one use of one allowance, or is Limited. The key is for giving it back.
func (s *Service) take(ctx context.Context, a Allowance, of string) (key []byte, err error) {
	secret, err := s.vault.Secret(ctx, AllowanceSecret)
	if err != nil {
		return nil, err
	}
	key = a.Key(secret, of)
	switch ok, err := s.vault.Spend(ctx, key, a); {
	case err != nil:
		return nil, err
	case !ok:
		return nil, errLimited
	default:
		return key, nil
	}
}

// Key is what an allowance of somebody or something is kept under.
func (a Allowance) Key(secret []byte, of string) []byte {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(a.name + "\x00" + of))
	return mac.Sum(nil)
}

// network is one IPv4 address, or the IPv6 network of one subscriber. What is no address is one source.
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
