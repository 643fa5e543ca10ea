// Package account implements sign-in: registration, invitations, passwords, one-time links, API tokens, identities at
// an OpenID provider, and the mails that belong to them. It must not know HTTP, SQL, SMTP or Temporal: storage is
// behind small interfaces, and a Mail holds the data of a mail that internal/mail renders.
//
// Three rules hold throughout. No response reveals whether an account exists: known and unknown addresses take the same
// path, cost the same work and get the same message; only a mail makes a difference. No credential is stored in usable
// form: a link's secret is derived from its random ID, and passwords are hashed. And signing in depends on no other
// service: account mails are written to the outbox in the transaction that causes them and sent by a worker, not by a
// workflow as those of tickets are, so that people can sign in while Temporal is down.
package account

import (
	"context"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Service implements sign-in and account management. It is safe for concurrent use.
type Service struct {
	store  store
	hasher *hasher
	site   string
}

// store stores accounts. Changing a password, a role or whether an account is enabled also increments the session epoch
// and withdraws the person's open links and the signed links in mails sent so far. Every change is recorded as a
// security event in its transaction.
type store interface {
	// Secret returns 32 bytes that all replicas share.
	Secret(ctx context.Context, name string) ([]byte, error)
	// Spend takes one use of a limit. It reports false if none is left.
	Spend(ctx context.Context, key []byte, a RateLimit) (ok bool, err error)
	// Return refunds one use.
	Return(ctx context.Context, key []byte, a RateLimit) error

	links
	passwords
	profiles
	members
	tokens
	mails
	events
}

type links interface {
	// Link returns a valid link, or a NotFound fault.
	Link(ctx context.Context, id string) (Link, error)
	// AddSignIn creates a SignIn link for the account with an address, or returns a NotFound fault.
	AddSignIn(ctx context.Context, id, address string, lifetime time.Duration) error
	// RequestLink creates a link for the account with an address and queues its mail. If there is none, it does the same work
	// and queues nothing.
	RequestLink(ctx context.Context, id string, p Purpose, address string, lifetime time.Duration) error
	// Register creates a VerifyAddress link and queues its mail, or a mail that the address has an account already.
	Register(ctx context.Context, id, name, address string, lifetime time.Duration) error
	// SignInByLink uses a SignIn link. SignInByLink, CreateAccount, Reset and ConfirmAddress return a NotFound fault if the link is no longer valid.
	SignInByLink(ctx context.Context, id string) (Authenticated, error)
	// CreateAccount uses a VerifyAddress or an Invitation link. It returns a Conflict fault if another account has the address by
	// now.
	CreateAccount(ctx context.Context, id, name, hash string) (Authenticated, error)
	// Reset uses a Reset link.
	Reset(ctx context.Context, id, hash string, tokens Tokens) (Authenticated, error)
	// ConfirmAddress uses an AddAddress link, merges a contact who has the address into the account, and queues a mail to the
	// primary address. It returns a Conflict fault like CreateAccount, and if the account has most addresses already.
	ConfirmAddress(ctx context.Context, id string, most int) error
}

type passwords interface {
	// Password returns the person with an address and the hash of their password, which is empty if they have none.
	// Both are zero if no active account has the address.
	Password(ctx context.Context, address string) (e Authenticated, hash string, err error)
	// SetPassword replaces the hash of a password.
	SetPassword(ctx context.Context, id ticket.PersonID, hash string, tokens Tokens) (Authenticated, error)
	// Rehash replaces a hash by one of the same password.
	Rehash(ctx context.Context, id ticket.PersonID, old, hash string) error
	// EndAll ends all sessions by starting a new epoch.
	EndAll(ctx context.Context, id ticket.PersonID, tokens Tokens) (Authenticated, error)
	// ByIdentity returns the staff member linked to a provider's subject, or links the one with the address. It returns
	// a NotFound fault for anyone else.
	ByIdentity(ctx context.Context, i Identity) (Authenticated, error)
}

type profiles interface {
	Profile(ctx context.Context, id ticket.PersonID) (Profile, error)
	Rename(ctx context.Context, id ticket.PersonID, name string) error
	// Sign changes what a person signs emails with.
	Sign(ctx context.Context, id ticket.PersonID, signature string) error
	// RequestAddress creates an AddAddress link and queues its mail to the address, or a mail that the address has an account
	// already.
	RequestAddress(ctx context.Context, linkID string, id ticket.PersonID, address string, lifetime time.Duration) error
	// SetPrimaryAddress and RemoveAddress return a NotFound fault unless the person has the further address.
	SetPrimaryAddress(ctx context.Context, id ticket.PersonID, address string) error
	RemoveAddress(ctx context.Context, id ticket.PersonID, address string) error
}

// members' changes are serialised and return a Forbidden fault if by is no longer an administrator when they run.
type members interface {
	Member(ctx context.Context, id ticket.PersonID) (Member, error)
	Members(ctx context.Context, f MemberFilter) (list []Member, more bool, err error)
	Invitations(ctx context.Context) ([]PendingInvitation, error)
	// Invite creates an Invitation link, withdraws earlier ones to the address, and queues its mail.
	Invite(ctx context.Context, id string, by ticket.PersonID, p desk.Person, lifetime time.Duration) error
	CancelInvitation(ctx context.Context, by ticket.PersonID, linkID string) error
	SetRole(ctx context.Context, by, id ticket.PersonID, role ticket.Role) error
	Disable(ctx context.Context, by, id ticket.PersonID) error
	Enable(ctx context.Context, by, id ticket.PersonID) error
}

type tokens interface {
	Tokens(ctx context.Context, id ticket.PersonID) ([]Token, error)
	MakeToken(ctx context.Context, id ticket.PersonID, once, label string, writes bool, most int) (string, error)
	RevokeToken(ctx context.Context, id ticket.PersonID, token int64) error
}

type events interface {
	// Record adds an event for a change without a transaction of its own.
	Record(ctx context.Context, e Event) error
	// RecordFailure adds a failed sign-in. It does the same work whether or not the address has an account.
	RecordFailure(ctx context.Context, address, detail string) error
	Events(ctx context.Context, f EventFilter) (list []EventRecord, more bool, err error)
}

type mails interface {
	// OwedMail returns a stored mail and its delivery status.
	OwedMail(ctx context.Context, id int64) (m Mail, status desk.DeliveryStatus, err error)
	PolicyInForce(ctx context.Context) (int64, *policy.Policy, []byte, error)
	// Notices returns current and planned emergencies, which every mail mentions.
	Notices(ctx context.Context) ([]desk.Emergency, error)
}

// Authenticated is a person who may sign in, and the epoch that their session must carry.
type Authenticated struct {
	Person desk.Person
	Epoch  int64
}

// New returns a service. site is the URL of the website, such as https://support.example.com.
func New(v store, site string) *Service {
	return &Service{store: v, hasher: newHasher(), site: strings.TrimRight(site, "/")}
}

var errAdministrator = fault.New(fault.Forbidden, "only administrators can do this")

// MayAdminister returns a Forbidden fault unless people of a role may change the accounts of others.
func MayAdminister(role ticket.Role) error {
	if role != ticket.RoleAdministrator {
		return errAdministrator
	}
	return nil
}
