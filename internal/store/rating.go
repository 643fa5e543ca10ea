package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Codes of a Conflict when a ticket can't be rated.
const (
	CodeTooEarly = "not-resolved"
	CodeTooLate  = "rating-over"
)

var errNoRating = fault.New(fault.NotFound, "the ticket has not been rated")

// Rate stores the rating of a ticket by its requester and replaces an earlier one. It applies to the current assignee,
// also after the ticket is reassigned. It returns NotFound if the ticket doesn't exist or is another requester's,
// Limited if by has written too much lately, and Conflict unless the ticket is resolved, or was closed within
// desk.RatingTime. Commands that no step has decided yet are not considered.
func (s *Store) Rate(ctx context.Context, by desk.Person, r desk.Rating) (desk.Rating, error) {
	u, err := s.use(ctx, by, account.CommandLimit(by))
	if err != nil {
		return desk.Rating{}, err
	}
	err = s.pool.QueryRow(ctx, `
		WITH rated AS (
			SELECT t.number, t.assignee FROM tickets t
			WHERE t.number = @number AND t.requester = @by AND t.status IN ('resolved', 'closed')
				AND NOT EXISTS (SELECT FROM events e
					WHERE e.ticket = t.number AND e.kind = 'closed' AND e.at < clock_timestamp() - @open::interval)
		), spent AS (`+spending(`EXISTS (SELECT FROM rated)`)+`)
		INSERT INTO ratings (ticket, agent, score, comment)
		SELECT number, assignee, @score, @comment FROM rated WHERE @allowance IS NULL OR EXISTS (SELECT FROM spent)
		ON CONFLICT (ticket) DO UPDATE SET
			agent = excluded.agent, score = excluded.score, comment = excluded.comment, at = excluded.at
		RETURNING at`,
		u.args(pgx.StrictNamedArgs{
			"number": r.Number, "by": by.ID, "score": r.Score, "comment": r.Comment, "open": desk.RatingTime,
		})).Scan(&r.At)
	if errors.Is(err, pgx.ErrNoRows) {
		return desk.Rating{}, s.notRated(ctx, by, r.Number, u)
	}
	if err == nil {
		s.announce(ctx, r.Number, desk.ChangeRated)
	}
	return r, explain(err, "rate ticket %s", r.Number)
}

// notRated returns the reason why the statement stored nothing.
func (s *Store) notRated(ctx context.Context, by desk.Person, n ticket.Number, u use) error {
	record, err := s.Ticket(ctx, by, n)
	if err == nil {
		err = s.spent(ctx, u)
	}
	switch {
	case err != nil:
		return err
	case record.State == nil || record.State.Ticket.Status != ticket.StatusClosed:
		return fault.NewConflict(CodeTooEarly, "a ticket can be rated once it is resolved")
	default:
		return fault.NewConflict(CodeTooLate, "a ticket can be rated until %d days after it was closed", desk.RatingTime/(24*time.Hour))
	}
}

// Rating returns a ticket's rating to its requester or to staff. It returns NotFound if there is none or the viewer may
// not see the ticket.
func (s *Store) Rating(ctx context.Context, viewer desk.Person, n ticket.Number) (desk.Rating, error) {
	r := desk.Rating{Number: n}
	err := s.pool.QueryRow(ctx, `
		SELECT r.score, r.comment, r.at FROM ratings r JOIN tickets t ON t.number = r.ticket
		WHERE t.number = $1 AND ($2 OR t.requester = $3)`, n, viewer.Role.Staff(), viewer.ID).Scan(&r.Score, &r.Comment, &r.At)
	return r, explain(missing(err, errNoRating), "read the rating of %s", n)
}
