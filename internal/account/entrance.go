package account

import (
	"context"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// errWrong is the one answer to a sign-in that fails, whatever is wrong.
var errWrong = fault.New(fault.Unauthenticated, "the address or the password is wrong")

// SignIn lets in somebody who knows an address's password. Unauthenticated: it is
// the wrong one, or nobody has that address. Limited: it was tried too often.
func (s *Service) SignIn(ctx context.Context, from Browser, address, password string) (Entry, error) {
	address = strings.TrimSpace(address)
	refund, err := s.spendAs(ctx, from, address, signInsOfAddress, signInsOfSource)
	if err != nil {
		return Entry{}, instead(err, errSignInsSpent)
	}
	who, err := s.proven(ctx, address, password)
	if fault.KindOf(err) == fault.Unauthenticated {
		if err := s.vault.RecordFailure(ctx, address, "password"); err != nil {
			return Entry{}, err
		}
	}
	if err != nil {
		return Entry{}, err
	}
	if err := refund(); err != nil {
		return Entry{}, err
	}
	return who, s.vault.Record(ctx, Event{Kind: EventSignedIn, Person: who.Person.ID, Actor: who.Person.ID, Detail: "by password"})
}

// proven checks a password, doing the same work whether anybody has that address or not.
func (s *Service) proven(ctx context.Context, address, password string) (Entry, error) {
	who, hash, err := s.vault.Password(ctx, address)
	if err != nil {
		return Entry{}, err
	}
	if len(password) > 4*MaxPassword {
		return Entry{}, errWrong
	}
	ok, stale, err := s.hasher.matches(ctx, password, hash)
	if err != nil {
		return Entry{}, err
	}
	if !ok {
		return Entry{}, errWrong
	}
	if stale {
		fresh, err := s.hasher.hash(ctx, password)
		if err != nil {
			return Entry{}, err
		}
		if err := s.vault.Rehash(ctx, who.Person.ID, hash, fresh); err != nil {
			return Entry{}, err
		}
	}
	return who, nil
}

// AskLink mails a link that signs in, if anybody has the address. Limited: it was asked for too often.
func (s *Service) AskLink(ctx context.Context, from Browser, address string) error {
	return s.ask(ctx, SignIn, linksToAddress, from, address)
}

// AskReset mails a link that chooses a new password, likewise.
func (s *Service) AskReset(ctx context.Context, from Browser, address string) error {
	return s.ask(ctx, Reset, resetsToAddress, from, address)
}

func (s *Service) ask(ctx context.Context, p Purpose, toAddress Allowance, from Browser, address string) error {
	address = strings.TrimSpace(address)
	if !desk.ValidAddress(address) {
		return errNoAddress
	}
	if _, err := s.spendAs(ctx, from, address, toAddress, mailsOfSource); err != nil {
		return instead(err, errAskedTooOften)
	}
	return s.vault.Ask(ctx, newID(), p, address, lasts[p])
}

var errNoAddress = fault.Field("address", "must be an e-mail address, such as name@example.com")

// Register mails a link that makes a customer's account: the password is chosen there, so that nobody can prepare an
// account for an address that isn't theirs. To an address that has one it mails just that.
func (s *Service) Register(ctx context.Context, source, name, address string) error {
	p := desk.Person{Role: "customer", Name: strings.TrimSpace(name), Address: strings.TrimSpace(address)}
	if err := p.Check(); err != nil {
		return err
	}
	if _, err := s.spend(ctx, p.Address, source, registrationsToAddress, mailsOfSource); err != nil {
		return instead(err, errAskedTooOften)
	}
	return s.vault.Register(ctx, newID(), p.Name, p.Address, lasts[Verify])
}

// Used is what a link did.
type Used struct {
	Purpose Purpose
	Entry   // whoever it lets in; for Move whose address it changed, which lets nobody in
}

// Use uses a link. name is for those whom it brings in; password for links that need one; tokens for Reset. NotFound:
// the link doesn't work. Conflict: the address is somebody else's by now. Invalid: name or password won't do; the link
// still works. Limited: it was tried too often with passwords that would do.
func (s *Service) Use(ctx context.Context, token, name, password string, tokens Tokens) (Used, error) {
	link, err := s.Open(ctx, token)
	if err != nil {
		return Used{}, err
	}
	used := Used{Purpose: link.Purpose}
	hash := ""
	if link.Purpose == Verify || link.Purpose == Invitation {
		link.Person.Name = strings.TrimSpace(name)
		if !desk.ValidName(link.Person.Name) {
			return Used{}, errName
		}
	}
	if link.Needs() {
		if hash, err = s.chosenFor(ctx, link, password); err != nil {
			return Used{}, err
		}
	}
	switch link.Purpose {
	case SignIn:
		used.Entry, err = s.vault.Enter(ctx, link.ID)
	case Reset:
		used.Entry, err = s.vault.Reset(ctx, link.ID, hash, tokens)
	case Move:
		used.Entry, err = s.vault.Move(ctx, link.ID)
	default:
		used.Entry, err = s.vault.TakeIn(ctx, link.ID, link.Person.Name, hash)
	}
	return used, err
}

var errName = fault.Field("name", "must have 1 to 200 characters, in one line and all of them visible")

// Identity is who an OpenID provider says that somebody is.
type Identity struct {
	Issuer, Subject string
	Address         string    // empty, unless the provider has verified it
	SignedIn        time.Time // when they last proved there who they are; zero: the provider does not say
}

// ByIdentity lets in a staff member whom a provider vouches for. The first time their verified address says who they
// are, from then on only the provider's subject does: an address may be given to somebody else. Forbidden: they are
// nobody's, a customer's, or disabled.
func (s *Service) ByIdentity(ctx context.Context, i Identity) (Entry, error) {
	if i.Issuer == "" || i.Subject == "" {
		return Entry{}, fault.New(fault.Invalid, "an identity has an issuer and a subject")
	}
	who, err := s.vault.ByIdentity(ctx, i)
	if fault.KindOf(err) != fault.NotFound {
		return who, err
	}
	if err := s.vault.RecordFailure(ctx, i.Address, "by "+i.Issuer); err != nil {
		return Entry{}, err
	}
	return Entry{}, fault.New(fault.Forbidden, "nobody who works here signs in as that")
}
