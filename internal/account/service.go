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

// Service is what the pages call. Safe for concurrent use.
type Service struct {
	vault  vault
	hasher *hasher
	site   string
}

// vault keeps accounts. What changes a password, a role or who may come in also counts the person's session epoch up
// and calls off their open links and the signed links in mails that were sent to them until then. Every act is recorded
// as a security event in its own transaction.
type vault interface {
	// Secret gives 32 bytes that all replicas share.
	Secret(ctx context.Context, name string) ([]byte, error)
	// Spend takes one use out of an allowance, unless it is all spent.
	Spend(ctx context.Context, key []byte, a Allowance) (ok bool, err error)
	// Return gives one use back.
	Return(ctx context.Context, key []byte, a Allowance) error

	links
	passwords
	profiles
	members
	tokens
	mails
	events
}

type links interface {
	// Link gives one that still works, or NotFound.
	Link(ctx context.Context, id string) (Link, error)
	// AddSignIn makes a link for whoever has an address, or is NotFound.
	AddSignIn(ctx context.Context, id, address string, lasts time.Duration) error
	// Ask makes a link of a purpose for whoever has an address and owes them the mail. When nobody has it, it does the
	// same work and owes nothing.
	Ask(ctx context.Context, id string, p Purpose, address string, lasts time.Duration) error
	// Register makes a Verify link and owes its mail, or one that says that the address has an account.
	Register(ctx context.Context, id, name, address string, lasts time.Duration) error
	// Enter uses a SignIn link. It, TakeIn, Reset and Move are NotFound when the link doesn't work any more.
	Enter(ctx context.Context, id string) (Entry, error)
	// TakeIn uses a Verify or Invitation link. An address that somebody has by now is a Conflict.
	TakeIn(ctx context.Context, id, name, hash string) (Entry, error)
	// Reset uses a Reset link.
	Reset(ctx context.Context, id, hash string, tokens Tokens) (Entry, error)
	// Move uses a Move link, and owes a mail to the old address. Conflict: as TakeIn.
	Move(ctx context.Context, id string) (Entry, error)
}

type passwords interface {
	// Password gives whoever has an address, with their password's hash; empty: none. Neither, when nobody is let in
	// under that address.
	Password(ctx context.Context, address string) (e Entry, hash string, err error)
	// SetPassword replaces a hash.
	SetPassword(ctx context.Context, id ticket.PersonID, hash string, tokens Tokens) (Entry, error)
	// Rehash replaces a hash by another of the same password.
	Rehash(ctx context.Context, id ticket.PersonID, old, hash string) error
	// EndAll ends all sessions and begins a new epoch.
	EndAll(ctx context.Context, id ticket.PersonID, tokens Tokens) (Entry, error)
	// ByIdentity returns the member of staff whom a provider calls by subject, or binds the one who has the address. It is
	// NotFound for all others.
	ByIdentity(ctx context.Context, i Identity) (Entry, error)
}

type profiles interface {
	Profile(ctx context.Context, id ticket.PersonID) (Profile, error)
	Rename(ctx context.Context, id ticket.PersonID, name string) error
	// AskMove makes a Move link and owes its mail to the new address.
	AskMove(ctx context.Context, linkID string, id ticket.PersonID, address string, lasts time.Duration) error
}

// members' acts are Forbidden when by is no administrator any more once their turn comes: they are done one after another.
type members interface {
	Member(ctx context.Context, id ticket.PersonID) (Member, error)
	Members(ctx context.Context, f MemberFilter) (list []Member, more bool, err error)
	Invitations(ctx context.Context) ([]Invited, error)
	// Invite makes an Invitation link, calls older ones to the same address off, and owes its mail.
	Invite(ctx context.Context, id string, by ticket.PersonID, p desk.Person, lasts time.Duration) error
	Uninvite(ctx context.Context, by ticket.PersonID, linkID string) error
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
	// Record adds an event of an act that has no transaction of its own.
	Record(ctx context.Context, e Event) error
	// RecordFailure adds a failed sign-in under an address, with the same work whether anybody has it or not.
	RecordFailure(ctx context.Context, address, detail string) error
	Events(ctx context.Context, f EventFilter) (list []Recorded, more bool, err error)
}

type mails interface {
	// OwedMail returns a mail as it is kept, and what became of it already.
	OwedMail(ctx context.Context, id int64) (m Owed, status desk.DeliveryStatus, err error)
	PolicyInForce(ctx context.Context) (int64, *policy.Policy, []byte, error)
	// Notices gives the emergencies in force and planned, which every mail speaks of.
	Notices(ctx context.Context) ([]desk.Emergency, error)
}

// Entry is whoever may come in, and the epoch that their session has to name.
type Entry struct {
	Person desk.Person
	Epoch  int64
}

// New makes a service on what keeps accounts. site is the website's address, such as https://support.example.com.
func New(v vault, site string) *Service {
	return &Service{vault: v, hasher: newHasher(), site: strings.TrimRight(site, "/")}
}

var errAdministrator = fault.New(fault.Forbidden, "only an administrator may do this")

// MayAdminister returns a Forbidden fault unless people of a role may change the accounts of others.
func MayAdminister(role ticket.Role) error {
	if role != ticket.RoleAdministrator {
		return errAdministrator
	}
	return nil
}
