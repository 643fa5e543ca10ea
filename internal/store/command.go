package store

import (
	"context"
	_ "embed"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

//go:embed command.sql
var commandTemplate string

// acceptsCommand is whether a ticket accepts a command.
var acceptsCommand = `number = @number AND (status <> 'closed' OR @closed) AND (@joins OR ` + seenBy("tickets", "@staff", "@by") + `
	AND (NOT @requester_only OR @staff OR requester = @by)) AND (NOT @staff OR @seen::bigint <= greatest(events, 1))`

// commandSQL accepts a command without files, and commandWithFilesSQL one with files.
var (
	commandSQL          = commandStatement(acceptsCommand, "", `(@body <> '' OR @left_out <> '[]')`, "")
	commandWithFilesSQL = commandStatement(acceptsCommand+` AND (SELECT fits FROM offered)`, offeredFiles, "true", attachFiles)
)

// commandStatement fills in command.sql.
func commandStatement(accepts, files, words, attached string) string {
	return strings.NewReplacer("{accepts}", accepts, "{files}", files, "{words}", words, "{attached}", attached,
		"{spending}", spending(`EXISTS (SELECT FROM tickets WHERE `+accepts+`)`)).Replace(commandTemplate)
}

var (
	errNoTicket = fault.New(fault.NotFound, "there is no such ticket")
	errNotNow   = fault.New(fault.Unavailable, "that could not be accepted right now; try again")
)

// Command accepts a command to a ticket: under the ticket's lock it stores the message and numbers the command. The step
// that applies it decides whether the ticket's state allows it. The same idempotency key returns the first answer again.
//
// Its error is NotFound if there is no such ticket or it is another customer's; Forbidden if the role may never use the
// verb, or a participant uses one for the requester only; Conflict if the ticket is closed or the key was used for another request; Invalid on "agent" or "expected" if they
// name none of the staff, on "person" if it names no customer, and on "seen" if the ticket's timeline has no such entry (for staff; the submission's entry
// counts from the start), and on "files" if they can't be attached; and Limited if by has written too much recently.
func (s *Store) Command(ctx context.Context, by desk.Person, r desk.Request) (desk.Accepted, error) {
	if !ticket.MayAsk(by.Role, r.Verb) || !slices.Contains(ticket.Signals(), r.Verb) {
		return desk.Accepted{}, ticket.ErrRole
	}
	if r.Priority != "" && !r.Priority.Valid() {
		return desk.Accepted{}, fault.Field("priority", "must be one of %v", policy.Priorities())
	}
	if err := s.checkFiles(r.Files); err != nil {
		return desk.Accepted{}, err
	}
	to, err := s.assignment(ctx, by, r)
	if err != nil {
		return desk.Accepted{}, err
	}
	if err := s.checkResend(ctx, by, r); err != nil {
		return desk.Accepted{}, err
	}
	u, err := s.use(ctx, by, account.CommandLimit(by))
	if err != nil {
		return desk.Accepted{}, err
	}
	a, err := s.command(ctx, by, r, to, u)
	switch {
	case violates(err, "commands_key"):
		return s.repeated(ctx, by, r.IdempotencyKey)
	case errors.Is(err, pgx.ErrNoRows):
		return s.notAccepted(ctx, by, r, u)
	}
	if err == nil {
		s.notifyChange(r.Number, desk.ChangeAccepted)
	}
	return a, explain(err, "accept %s for %s", r.Verb, r.Number)
}

// assignment holds the people whom a command names: the new assignee and the one that its sender expects now, or a customer.
type assignment struct {
	handle                     string // of assignee
	assignee, expected, person ticket.PersonID
}

// assignment resolves the people that a request names. Without an agent, the assignee is the one who asks.
func (s *Store) assignment(ctx context.Context, by desk.Person, r desk.Request) (to assignment, err error) {
	if r.Verb.Takes("person") {
		p, err := s.customer(ctx, by, r.Whom, "person", r.Verb != ticket.VerbRemoveParticipant)
		if err != nil {
			if _, err := s.repeated(ctx, by, r.IdempotencyKey); !errors.Is(err, errNew) { // they may have been disabled since
				return to, err
			}
		}
		to.person = p.ID
		return to, err
	}
	if !r.Verb.Takes("agent") {
		return to, nil
	}
	to.assignee, to.handle = by.ID, by.Handle
	if r.Agent != "" {
		agent, err := s.staff(ctx, s.pool, r.Agent)
		if errors.Is(err, errNoPerson) {
			// The agent may have been disabled since the key's first request.
			if _, err := s.repeated(ctx, by, r.IdempotencyKey); !errors.Is(err, errNew) {
				return to, err
			}
			return to, fault.Field("agent", "no member of staff has that handle or ID")
		}
		if err != nil {
			return to, err
		}
		to.assignee, to.handle = agent.ID, agent.Handle
	}
	if r.Expected != nil && *r.Expected != "" {
		had, err := s.person(ctx, s.pool, `role <> 'customer' AND (id = $1 OR lower(handle) = lower($1))`, *r.Expected)
		if errors.Is(err, errNoPerson) {
			return to, fault.Field("expected", "no member of staff has that handle or ID")
		}
		to.expected = had.ID
		return to, err
	}
	return to, nil
}

// command runs the statement that accepts a command. It returns pgx.ErrNoRows if nothing was accepted.
func (s *Store) command(ctx context.Context, by desk.Person, r desk.Request, to assignment, u use) (desk.Accepted, error) {
	trace := s.traceOf(ctx)
	joins := r.Joins && r.Verb == ticket.VerbCustomerReply
	if joins {
		to.person = by.ID
	}
	statement, args := commandSQL, u.args(pgx.StrictNamedArgs{
		"number": r.Number, "by": by.ID, "role": by.Role, "staff": by.Role.Staff(), "verb": r.Verb,
		"trace": trace, "body": r.Body, "format": r.Format.OrText(), "internal": r.Verb.Internal(), "assignee": to.assignee, "priority": r.Priority, "category": r.Category,
		"key": r.IdempotencyKey.Key, "fingerprint": fingerprint(r.IdempotencyKey),
		"closed": r.Verb.Fits(ticket.StatusClosed), "mail": r.Mail, "address": r.Address,
		"guarded": r.Expected != nil && r.Verb.Takes("expected"), "expected": to.expected, "seen": min(r.Seen, math.MaxInt32), "until": instant(r.Until),
		"arrived": instant(r.Arrived), "joins": joins, "channel": desk.ChannelOf(by, r.Channel), "incoming": r.Incoming, "html": r.HTML, "left_out": leftOut(r.LeftOut), "forward": r.Forward, "sender": by.Sender,
		"person": to.person, "alone": r.Alone && (r.Verb.Takes("recipients") || r.Verb == ticket.VerbCustomerReply && r.Incoming != 0), "requester_only": r.Verb.Definition().RequesterOnly,
		"lease": r.Lease, "leased_for": leaseDuration,
	})
	if len(r.Files) > 0 {
		statement = commandWithFilesSQL
		args["files"], args["total"] = r.Files, s.fileLimits.Total
	}
	rows, _ := s.pool.Query(ctx, statement, args)
	return pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (a desk.Accepted, err error) {
		a.Assignee, a.Handle, a.Trace = to.assignee, to.handle, trace
		return a, row.Scan(&a.Number, &a.Seq, &a.At, &a.Policy)
	})
}

// checkResend checks a request to resend a mail. It is NotFound if there is no such mail, and Invalid on "address" if that
// is malformed or the mail is to one of the staff: their accounts say where their mails go, and links in those mails act
// in their name.
func (s *Store) checkResend(ctx context.Context, by desk.Person, r desk.Request) error {
	if !r.Verb.Takes("mail") {
		return nil
	}
	if r.Address != "" && (!desk.ValidAddress(r.Address) || strings.Count(r.Address, "@") != 1) {
		return fault.Field("address", "is not an email address")
	}
	if err := s.checkAddress("address", r.Address); err != nil {
		return err
	}
	var staff bool
	err := s.pool.QueryRow(ctx, `SELECT p.role <> 'customer' FROM deliveries m JOIN people p ON p.id = m.person WHERE m.ticket = $1 AND m.n = $2`,
		r.Number, r.Mail).Scan(&staff)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		if err := s.visible(ctx, by, r.Number); err != nil {
			return err
		}
		return errNoMail
	case err != nil:
		return explain(err, "look for mail %d of %s", r.Mail, r.Number)
	case staff && r.Address != "":
		return fault.Field("address", "is for emails to the requester only; staff receive theirs at their account's address")
	}
	return nil
}

// notAccepted returns the reason why the statement accepted nothing, or the first answer if the request was accepted under
// the same key before the ticket was closed.
func (s *Store) notAccepted(ctx context.Context, by desk.Person, r desk.Request, u use) (desk.Accepted, error) {
	if a, err := s.repeated(ctx, by, r.IdempotencyKey); !errors.Is(err, errNew) {
		return a, err
	}
	var closed, requester bool
	var entries int
	err := s.pool.QueryRow(ctx, `SELECT status = 'closed', events, requester = $3 FROM tickets WHERE number = $1 AND `+seenBy("tickets", "$2", "$3"),
		r.Number, by.Role.Staff(), by.ID).Scan(&closed, &entries, &requester)
	switch {
	case err != nil:
		return desk.Accepted{}, explain(missing(err, errNoTicket), "accept %s for %s", r.Verb, r.Number)
	case r.Verb.Definition().RequesterOnly && !by.Role.Staff() && !requester:
		return desk.Accepted{}, ticket.ErrRole
	case closed && !r.Verb.Fits(ticket.StatusClosed):
		return desk.Accepted{}, ticket.ErrClosed
	case by.Role.Staff() && r.Seen > max(entries, 1):
		return desk.Accepted{}, fault.Field("seen", "is not an entry of the ticket's timeline")
	}
	if err := s.notAttached(ctx, by, r.Files); err != nil {
		return desk.Accepted{}, err
	}
	if err := s.spent(ctx, u); err != nil {
		return desk.Accepted{}, err
	}
	return desk.Accepted{}, errNotNow
}

// errNew is returned when no request was accepted under a key.
var errNew error = fault.New(fault.NotFound, "not accepted before")

// Repeated returns what was accepted earlier under an idempotency key, and false if nothing was. It returns Conflict if
// the key was used for another request.
func (s *Store) Repeated(ctx context.Context, by desk.Person, key desk.IdempotencyKey) (desk.Accepted, bool, error) {
	a, err := s.repeated(ctx, by, key)
	if errors.Is(err, errNew) {
		return desk.Accepted{}, false, nil
	}
	return a, err == nil, err
}

// SentWith returns the ticket of the command that a person sent under a key, or an empty number if there is none.
func (s *Store) SentWith(ctx context.Context, by desk.Person, key string) (n ticket.Number, err error) {
	err = s.pool.QueryRow(ctx, `SELECT ticket FROM commands WHERE by_person = $1 AND key = $2`, by.ID, key).Scan(&n)
	return n, explain(missing(err, nil), "look up what was sent")
}

// repeated returns the response to the first request under a key, with Again set. It returns errNew if there was none.
func (s *Store) repeated(ctx context.Context, by desk.Person, key desk.IdempotencyKey) (desk.Accepted, error) {
	if key.Key == "" {
		return desk.Accepted{}, errNew
	}
	a := desk.Accepted{Again: true}
	var first []byte
	err := s.pool.QueryRow(ctx, `
		SELECT c.ticket, c.seq, c.accepted_at, coalesce((SELECT (e.data->>'was')::bigint FROM events e
			WHERE e.ticket = c.ticket AND e.kind = 'policy-adopted' ORDER BY e.n LIMIT 1), t.policy), coalesce(c.priority, ''), coalesce(c.category, ''), c.fingerprint
		FROM commands c JOIN tickets t ON t.number = c.ticket
		WHERE c.by_person = $1 AND c.key = $2`, by.ID, key.Key).
		Scan(&a.Number, &a.Seq, &a.At, &a.Policy, &a.Priority, &a.Category, &first)
	if err != nil {
		return desk.Accepted{}, explain(missing(err, errNew), "look up an idempotency key")
	}
	if err := key.Repeats(first); err != nil {
		return desk.Accepted{}, err
	}
	return a, nil
}

// fingerprint returns nil exactly if there is no key.
func fingerprint(key desk.IdempotencyKey) []byte {
	if key.Key == "" {
		return nil
	}
	return append([]byte{}, key.Fingerprint...)
}
