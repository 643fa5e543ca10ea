package api

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

type ratingInput struct {
	Number string `path:"number"`
	Body   ratingBody
}

type ratingBody struct {
	Score   int    `json:"score" doc:"1 to 5; 5 is the best."`
	Comment string `json:"comment,omitempty" doc:"Plain text, up to 2000 characters."`
}

type ratingOutput struct{ Body ratingView }

type ratingView struct {
	Number  ticket.Number `json:"number"`
	Score   int           `json:"score"`
	Comment string        `json:"comment,omitempty"`
	At      time.Time     `json:"at"`
}

// rate stores the requester's rating. It is not a command: there is nothing to decide, and a later rating replaces an
// earlier one, so repeating it is safe without an idempotency key.
func (s *server) rate(ctx context.Context, in *ratingInput) (*ratingOutput, error) {
	n, err := s.number(in.Number)
	if err != nil {
		return nil, err
	}
	var f input.Fields
	r := desk.Rating{Number: n, Score: in.Body.Score}
	if in.Body.Comment != "" {
		r.Comment = f.Words("comment", in.Body.Comment)
	}
	if err := f.Err(); err != nil {
		return nil, err
	}
	if r, err = s.Desk.Rate(ctx, request.Of(ctx).Person, r); err != nil {
		return nil, err
	}
	return &ratingOutput{Body: ratingView{Number: r.Number, Score: r.Score, Comment: r.Comment, At: r.At.UTC()}}, nil
}
