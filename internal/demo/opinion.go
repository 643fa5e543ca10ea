package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// opinions are what requesters say, by score.
var opinions = map[int][]string{
	1: {"Two weeks for a single answer.", "Nobody could tell me anything."},
	2: {"Solved, but far too slowly.", "I had to ask again and again."},
	3: {"All right in the end.", "The answer was fine, the wait was long."},
	4: {"Friendly and to the point.", "Good help. The mails could be shorter."},
	5: {"Quick and friendly, thank you!", "Exactly the help that I needed.", "Settled within the day. Great."},
}

// suggestions are what people would do better.
var suggestions = []string{
	"Please show the delivery day in the list of my tickets.",
	"It would help if I could add pictures of damaged goods.",
	"Could the form remember my last order number?",
	"I like that I can see until when I'll get an answer. Please keep that.",
	"A phone number for urgent matters would be good.",
	"The mails are clear. A summary of the conversation at their end would make them perfect.",
	"More than one address in an account, please.",
	"On my phone the page with the policy is rather long. A short version would do.",
	"Let colleagues of the same company see each other's tickets.",
	"Please answer on Saturdays, too.",
}

// rate lets the requester say what they thought: not all do, and those who waited long are harder to please.
func (s *teller) rate(t ticket.Ticket, at time.Time) {
	if s.err != nil || t.Cause == ticket.CauseWithdrawn || t.Cause == ticket.CauseSilence || !s.chance(45) {
		return
	}
	scores := []int{5, 5, 5, 4, 4, 5, 3, 4, 5, 2}
	if !t.FirstResponse.BreachedAt.IsZero() || !t.Resolution.BreachedAt.IsZero() {
		scores = []int{1, 2, 3, 2, 4, 1, 3}
	}
	score := pick(s, scores)
	r := &desk.Rating{Score: score, At: at.Add(s.upTo(2 * day)).Truncate(time.Second)}
	if s.chance(60) {
		r.Comment = pick(s, opinions[score])
	}
	if !r.At.After(s.now) {
		s.ticket.Rating = r
	}
}

// suggest fills the suggestion box, with what customers and visitors wrote in these weeks. Its oldest are read.
func (w *writer) suggest(ctx context.Context, k keeper) error {
	all := make([]desk.Suggestion, 0, len(suggestions))
	for i, body := range suggestions {
		// Whole days of the calendar, so that a second run on the same day tells the same.
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
