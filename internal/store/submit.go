package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// maxDraws is how many numbers are tried. Two in a row that are in use mean a broken source of randomness.
const maxDraws = 3

// Submit accepts a ticket: it stores its message, its row and its first command, under the policy in force. A number that
// is in use is replaced by another, so only the returned number counts. The same idempotency key returns the first answer
// again. If ctx ends first, the ticket may have been accepted all the same.
//
// Its error is Forbidden for staff; Invalid on "follows" if that is not one of the requester's tickets; Conflict if the key
// was used for another request; Limited if the requester has submitted too many recently; and Unavailable while no policy
// is published.
func (s *Store) Submit(ctx context.Context, by desk.Person, sub desk.Submission) (desk.Accepted, error) {
	if !ticket.MayAsk(by.Role, ticket.VerbSubmit) {
		return desk.Accepted{}, errRole
	}
	if err := s.checkFollows(ctx, by, sub.Follows); err != nil {
		return desk.Accepted{}, err
	}
	u, err := s.use(ctx, by, account.TicketLimit())
	if err != nil {
		return desk.Accepted{}, err
	}
	for draw := 1; ; draw++ {
		if sub.Number == "" || draw > 1 {
			sub.Number = ticket.NewNumber(s.prefix)
		}
		a, err := s.submissions.submit(ctx, by, sub, u)
		switch {
		case err == nil:
			return a, nil
		case violates(err, "tickets_pkey") && draw < maxDraws:
			continue
		case violates(err, "commands_key"):
			return s.repeated(ctx, by, sub.IdempotencyKey)
		case errors.Is(err, pgx.ErrNoRows):
			return s.notSubmitted(ctx, by, sub, u)
		}
		return desk.Accepted{}, explain(err, "accept a ticket")
	}
}

// notSubmitted returns the reason why the statement accepted nothing, or the first answer to the same request.
func (s *Store) notSubmitted(ctx context.Context, by desk.Person, sub desk.Submission, u use) (desk.Accepted, error) {
	if a, err := s.repeated(ctx, by, sub.IdempotencyKey); !errors.Is(err, errNew) {
		return a, err
	}
	if err := s.spent(ctx, u); err != nil {
		return desk.Accepted{}, err
	}
	if _, _, _, err := s.PolicyInForce(ctx); err != nil {
		return desk.Accepted{}, err
	}
	return desk.Accepted{}, errNotNow // the allowance has been replenished since
}

// checkFollows checks that the ticket to follow, if any, is the requester's. A ticket's requester never changes, so this
// needs no lock.
func (s *Store) checkFollows(ctx context.Context, by desk.Person, follows ticket.Number) error {
	if follows == "" {
		return nil
	}
	err := s.visible(ctx, by, follows)
	if errors.Is(err, errNoTicket) {
		return fault.Field("follows", "must be one of your own tickets")
	}
	return explain(err, "look for the ticket to follow")
}
