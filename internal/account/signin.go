package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// errCredentials is the only message for a failed sign-in, whatever the cause.
var errCredentials = fault.New(fault.Unauthenticated, "the address or the password is wrong")

// SignIn authenticates a person by address and password. It returns an Unauthenticated fault if either is wrong, and a
// Limited fault after too many attempts.
func (s *Service) SignIn(ctx context.Context, from Browser, address, password string) (Authenticated, error) {
	address = strings.TrimSpace(address)
	refund, err := s.limitFrom(ctx, from, address, signInsPerAddress, signInsPerSource)
	if err != nil {
		return Authenticated{}, limitedAs(err, errSignInLimited)
	}
	who, err := s.authenticate(ctx, address, password)
	if fault.KindOf(err) == fault.Unauthenticated {
		if err := s.store.RecordFailure(ctx, address, "password"); err != nil {
			return Authenticated{}, err
		}
	}
	if err != nil {
		return Authenticated{}, err
	}
	if err := refund(); err != nil {
		return Authenticated{}, err
	}
	return who, s.store.Record(ctx, Event{Kind: EventSignedIn, Person: who.Person.ID, Actor: who.Person.ID, Detail: "by password"})
}

// authenticate checks a password. It does the same work whether or not the address has an account.
func (s *Service) authenticate(ctx context.Context, address, password string) (Authenticated, error) {
	who, hash, err := s.store.Password(ctx, address)
	if err != nil {
		return Authenticated{}, err
	}
	if len(password) > 4*MaxPassword {
		return Authenticated{}, errCredentials
	}
	ok, stale, err := s.hasher.matches(ctx, password, hash)
	if err != nil {
		return Authenticated{}, err
	}
	if !ok {
		return Authenticated{}, errCredentials
	}
	if stale {
		fresh, err := s.hasher.hash(ctx, password)
		if err != nil {
			return Authenticated{}, err
		}
		if err := s.store.Rehash(ctx, who.Person.ID, hash, fresh); err != nil {
			return Authenticated{}, err
		}
	}
	return who, nil
}

// RequestLink mails a sign-in link to the address if it has an account. It returns a Limited fault after too many requests.
func (s *Service) RequestLink(ctx context.Context, from Browser, address string) error {
	return s.ask(ctx, SignIn, linksPerAddress, from, address)
}

// RequestReset mails a password reset link; otherwise it is like RequestLink.
func (s *Service) RequestReset(ctx context.Context, from Browser, address string) error {
	return s.ask(ctx, Reset, resetsPerAddress, from, address)
}

func (s *Service) ask(ctx context.Context, p Purpose, perAddress RateLimit, from Browser, address string) error {
	address = strings.TrimSpace(address)
	if !desk.ValidAddress(address) {
		return errNoAddress
	}
	if _, err := s.limitFrom(ctx, from, address, perAddress, mailsPerSource); err != nil {
		return limitedAs(err, errMailLimited)
	}
	return s.store.RequestLink(ctx, newID(), p, address, lifetime[p])
}

var errNoAddress = fault.Field("address", "must be an email address, such as name@example.com")

// Register mails a link that creates a customer's account. The password is chosen when the link is used, so that an
// account cannot be prepared for another person's address. If the address has an account already, the mail says so
// instead.
func (s *Service) Register(ctx context.Context, source, name, address string) error {
	p := desk.Person{Role: "customer", Name: strings.TrimSpace(name), Address: strings.TrimSpace(address)}
	if err := p.Check(); err != nil {
		return err
	}
	if _, err := s.limitBoth(ctx, p.Address, source, registrationsPerAddress, mailsPerSource); err != nil {
		return limitedAs(err, errMailLimited)
	}
	return s.store.Register(ctx, newID(), p.Name, p.Address, lifetime[VerifyAddress])
}

// LinkResult is the result of using a link.
type LinkResult struct {
	Purpose       Purpose
	Authenticated // the person signed in
}

// Use redeems a link with which a person signs in, which all but those of AddAddress are. name is for links that create an account, password for links that set one, tokens for Reset. It
// returns a NotFound fault if the link is not valid; a Conflict if another account has the address by now; an Invalid
// fault if name or password are not acceptable, in which case the link stays valid; and a Limited fault after too many
// attempts with acceptable passwords.
func (s *Service) Use(ctx context.Context, token, name, password string, tokens Tokens) (LinkResult, error) {
	link, err := s.Open(ctx, token)
	if err != nil {
		return LinkResult{}, err
	}
	used := LinkResult{Purpose: link.Purpose}
	hash := ""
	if link.Purpose == VerifyAddress || link.Purpose == Invitation {
		link.Person.Name = strings.TrimSpace(name)
		if !desk.ValidName(link.Person.Name) {
			return LinkResult{}, errName
		}
	}
	if link.NeedsPassword() {
		if hash, err = s.hashForLink(ctx, link, password); err != nil {
			return LinkResult{}, err
		}
	}
	switch link.Purpose {
	case SignIn:
		used.Authenticated, err = s.store.SignInByLink(ctx, link.ID)
	case Reset:
		used.Authenticated, err = s.store.Reset(ctx, link.ID, hash, tokens)
	case AddAddress:
		return LinkResult{}, errInvalidLink
	default:
		used.Authenticated, err = s.store.CreateAccount(ctx, link.ID, link.Person.Name, hash)
	}
	return used, err
}

var errName = fault.Field("name", "must have 1 to 200 characters, in one line and all of them visible")

// Identity is a person as an OpenID provider identifies them.
type Identity struct {
	Issuer, Subject string
	Address         string    // empty unless verified by the provider
	SignedIn        time.Time // when they last authenticated there; zero if the provider does not say
}

// SignInWithIdentity signs in a staff member by an identity at a provider. The first time the verified address identifies them
// and the subject is linked; from then on only the subject does, since an address may be reassigned. It returns a
// Forbidden fault if there is no such person, or they are a customer or disabled.
func (s *Service) SignInWithIdentity(ctx context.Context, i Identity) (Authenticated, error) {
	if i.Issuer == "" || i.Subject == "" {
		return Authenticated{}, fault.New(fault.Invalid, "an identity has an issuer and a subject")
	}
	who, err := s.store.ByIdentity(ctx, i)
	if fault.KindOf(err) != fault.NotFound {
		return who, err
	}
	if err := s.store.RecordFailure(ctx, i.Address, "by "+i.Issuer); err != nil {
		return Authenticated{}, err
	}
	return Authenticated{}, fault.New(fault.Forbidden, "no staff account is linked to this identity")
}

const deviceSecret = "account devices"

// Browser identifies where a sign-in comes from.
type Browser struct {
	Source string // network address
	Device string // value returned by Service.Device earlier; anything else means an unknown browser
}

// Device returns a value for a cookie that marks a browser in which the owner of an address has signed in. It is not a
// credential: it only gives that browser separate rate limits for the address, which an attacker cannot exhaust.
func (s *Service) Device(ctx context.Context, address string) (string, error) {
	id := rand.Text()
	sum, err := s.deviceSum(ctx, id, address)
	return id + sum, err
}

// knownDevice returns the ID of a device value issued for an address, or "" if the value is not one.
func (s *Service) knownDevice(ctx context.Context, device, address string) (id string, err error) {
	if len(device) <= idLength || len(device) > 4*idLength {
		return "", nil
	}
	id = device[:idLength]
	sum, err := s.deviceSum(ctx, id, address)
	if err != nil || subtle.ConstantTimeCompare([]byte(device[idLength:]), []byte(sum)) != 1 {
		return "", err
	}
	return id, nil
}

func (s *Service) deviceSum(ctx context.Context, id, address string) (string, error) {
	secret, err := s.store.Secret(ctx, deviceSecret)
	if err != nil {
		return "", err
	}
	return encodedMAC(secret, id+"\x00"+strings.ToLower(address)), nil
}

// limitFrom is limitBoth for requests from a browser. A known device has a limit of the same size to itself.
func (s *Service) limitFrom(ctx context.Context, b Browser, address string, perAddress, perSource RateLimit) (refund func() error, err error) {
	id, err := s.knownDevice(ctx, b.Device, address)
	if err != nil {
		return nil, err
	}
	if id != "" {
		perAddress.name += " on a known device"
		return s.limitBoth(ctx, id, b.Source, perAddress, perSource)
	}
	return s.limitBoth(ctx, address, b.Source, perAddress, perSource)
}
