package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// comments are comments on ratings, by score.
var comments = map[int][]string{
	1: {"Two weeks for a single reply.", "Nobody could tell me anything."},
	2: {"Solved, but far too slowly.", "I had to ask again and again."},
	3: {"All right in the end.", "The answer was fine, the wait was long."},
	4: {"Friendly and to the point.", "Good help. The emails could be shorter."},
	5: {"Quick and friendly, thank you!", "Exactly the help I needed.", "Resolved within a day. Great."},
}

// suggestions are entries for the suggestion box.
var suggestions = []string{
	"Please show the delivery day in the list of my tickets.",
	"It would help if I could add pictures of damaged goods.",
	"Could the form remember my last order number?",
	"I like that I can see when to expect a reply. Please keep that.",
	"A phone number for urgent matters would be good.",
	"The emails are clear. A summary of the conversation at the end would make them perfect.",
	"Please allow more than one email address per account.",
	"The policy page is rather long on my phone. A short version would be nice.",
	"Let colleagues of the same company see each other's tickets.",
	"Please offer support on Saturdays, too.",
}

// rate adds the requester's rating: not all rate, and those who waited long rate lower.
func (s *builder) rate(t ticket.Ticket, at time.Time) {
	if s.err != nil || t.Cause == ticket.CauseWithdrawn || t.Cause == ticket.CauseSilence || !s.percentChance(45) {
		return
	}
	scores := []int{5, 5, 5, 4, 4, 5, 3, 4, 5, 2}
	if !t.FirstResponse.BreachedAt.IsZero() || !t.Resolution.BreachedAt.IsZero() {
		scores = []int{1, 2, 3, 2, 4, 1, 3}
	}
	score := pick(s, scores)
	r := &desk.Rating{Score: score, At: at.Add(s.randomUpTo(2 * day)).Truncate(time.Second)}
	if s.percentChance(60) {
		r.Comment = pick(s, comments[score])
	}
	if !r.At.After(s.now) {
		s.ticket.Rating = r
	}
}

// suggest adds suggestions by customers and visitors of the last weeks. The oldest are read.
func (w *generator) suggest(ctx context.Context, k store) error {
	all := make([]desk.Suggestion, 0, len(suggestions))
	for i, body := range suggestions {
		// Whole calendar days, so that a second run on the same day yields the same.
		at := w.options.Now.Truncate(day).Add(-time.Duration(i*9+1) * day).Add(9 * hour).Add(time.Duration(i*37) * minute)
		one := desk.Suggestion{Body: body, At: at}
		if i%3 != 2 {
			from := w.cast.Customers[i%len(w.cast.Customers)]
			one.From = &desk.Ref{ID: from.ID}
		}
		if i > 3 {
			one.Read = at.Add(2 * day)
		}
		all = append(all, one)
	}
	if _, err := k.ImportSuggestions(ctx, all); err != nil {
		return fmt.Errorf("fill the suggestion box: %w", err)
	}
	return nil
}
