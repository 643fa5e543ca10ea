package desk

import (
	"time"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Limits of a rating. A comment's is in characters.
const (
	MinScore   = 1
	MaxScore   = 5
	MaxComment = 2000
)

// RatingTime is how long after its closure a ticket may be rated, and its rating changed.
const RatingTime = 30 * 24 * time.Hour

// Rating is what a requester thought of how they were helped: one for a ticket, the latest.
type Rating struct {
	Number  ticket.Number
	Score   int       // MinScore to MaxScore, the best
	Comment string    // plain text, may be empty
	At      time.Time // a whole second, UTC; set by the store
}

// Check returns an Invalid fault that names every field in which a rating can't be kept: score, comment.
func (r Rating) Check() error {
	var details []fault.Detail
	if r.Score < MinScore || r.Score > MaxScore {
		details = append(details, fault.Detail{Field: "score", Message: "must be a whole number from 1 to 5"})
	}
	if utf8.RuneCountInString(r.Comment) > MaxComment {
		details = append(details, fault.Detail{Field: "comment", Message: "is longer than 2000 characters"})
	}
	if len(details) > 0 {
		return fault.Fields(details...)
	}
	return nil
}
