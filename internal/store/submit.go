package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// maxDraws is how often a number is drawn. Two in a row that are taken already mean a broken source of randomness.
const maxDraws = 3

// Submit accepts a ticket: its words, its row and its first command, under the policy in force. A number that is taken
// is replaced by another, so the one in the answer counts. It is Forbidden to staff; Invalid, on "follows", when that
// is no ticket of theirs; a Conflict when the key was used for something else; Unavailable while no policy has been
// published. When ctx ends first, the ticket may have been accepted all the same.
func (s *Store) Submit(ctx context.Context, by desk.Person, sub desk.Submission) (desk.Accepted, error) {
	if !ticket.MayAsk(by.Role, ticket.VerbSubmit) {
		return desk.Accepted{}, errRole
	}
	for draw := 1; ; draw++ {
		if sub.Number == "" || draw > 1 {
			sub.Number = ticket.NewNumber(s.prefix)
		}
		a, err := s.intake.submit(ctx, by, sub)
		switch {
		case err == nil:
			return a, nil
		case violates(err, "tickets_pkey") && draw < maxDraws:
			continue
		case violates(err, "commands_key"):
			return s.repeated(ctx, by, sub.Once)
		case errors.Is(err, pgx.ErrNoRows):
			return s.notSubmitted(ctx, by, sub)
		}
		return desk.Accepted{}, explain(err, "accept a ticket")
	}
}

// notSubmitted finds out why the statement accepted nothing.
func (s *Store) notSubmitted(ctx context.Context, by desk.Person, sub desk.Submission) (desk.Accepted, error) {
	if a, err := s.repeated(ctx, by, sub.Once); !errors.Is(err, errNew) {
		return a, err
	}
	if _, _, err := newestPolicy(ctx, s.pool); errors.Is(err, pgx.ErrNoRows) {
		return desk.Accepted{}, fault.New(fault.Unavailable, "no policy has been published yet")
	} else if err != nil {
		return desk.Accepted{}, explain(err, "accept a ticket")
	}
	return desk.Accepted{}, fault.Field("follows", "must be one of your own tickets")
}
