package desk

import (
	"time"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Limits of a rating. MaxComment is in characters.
const (
	MinScore   = 1
	MaxScore   = 5
	MaxComment = 2000
)

// RatingTime is how long after its closure a ticket may be rated or its rating changed.
const RatingTime = 30 * 24 * time.Hour

// Rating is a requester's rating of a ticket. A ticket has at most one, the latest.
type Rating struct {
	Number  ticket.Number
	Score   int       // MinScore, the worst, to MaxScore
	Comment string    // plain text, may be empty
	At      time.Time // a whole second, UTC; set by the store
}

// Check returns an Invalid fault that names every invalid field: score, comment.
func (r Rating) Check() error {
	var wrong fault.Details
	if r.Score < MinScore || r.Score > MaxScore {
		wrong.Add("score", "must be a whole number from 1 to 5")
	}
	if utf8.RuneCountInString(r.Comment) > MaxComment {
		wrong.Add("comment", "is longer than 2000 characters")
	}
	return wrong.Err()
}

// MaxSuggestion is the maximum length of a suggestion, in characters.
const MaxSuggestion = 4000

// Suggestion is a suggestion for improving the service.
type Suggestion struct {
	ID   int64
	From *Ref // nil: a visitor
	Body string
	At   time.Time // a whole second, UTC
	Read time.Time // zero: unread
}
