package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// RatingCount is the number of ratings with the same score, week and assignee at the time of the rating.
type RatingCount struct {
	Week  int      // index into the weeks of the request
	Agent desk.Ref // zero: unassigned
	Score int
	Count int
}

// Comment is a rating with a comment.
type Comment struct {
	desk.Rating
	Subject string   // the ticket's
	Agent   desk.Ref // zero: unassigned
}

// Ratings is the report on the ratings of a period.
type Ratings struct {
	From, To time.Time
	Zone     *time.Location // the policy's
	Total    Scores
	Weeks    []RatingLine // one for each week; see Weeks
	Agents   []RatingLine // by name, unassigned last
	Comments []Comment    // newest first
}

// RatingLine is a line of the report.
type RatingLine struct {
	Week  time.Time // start of the week; zero in Agents
	Agent desk.Ref
	Scores
}

// Scores counts ratings by score. The first element is for desk.MinScore.
type Scores [desk.MaxScore]int

// Count returns the number of ratings.
func (s Scores) Count() int {
	n := 0
	for _, c := range s {
		n += c
	}
	return n
}

// Average returns the mean score, and false if there are no ratings.
func (s Scores) Average() (float64, bool) {
	n, sum := s.Count(), 0
	for i, c := range s {
		sum += (i + desk.MinScore) * c
	}
	if n == 0 {
		return 0, false
	}
	return float64(sum) / float64(n), true
}

// NewRatings returns the report on a period. The counts are by the weeks of the period in the zone.
func NewRatings(from, to time.Time, zone *time.Location, counts []RatingCount, comments []Comment) Ratings {
	r := Ratings{From: from, To: to, Zone: zone, Comments: comments}
	weeks := Weeks(from, to, zone)
	for _, week := range weeks {
		r.Weeks = append(r.Weeks, RatingLine{Week: week})
	}
	agents := map[ticket.PersonID]*RatingLine{}
	for _, c := range counts {
		if agents[c.Agent.ID] == nil {
			agents[c.Agent.ID] = &RatingLine{Agent: c.Agent}
		}
		for _, scores := range []*Scores{&r.Total, &r.Weeks[c.Week].Scores, &agents[c.Agent.ID].Scores} {
			scores[c.Score-desk.MinScore] += c.Count
		}
	}
	for _, line := range agents {
		r.Agents = append(r.Agents, *line)
	}
	slices.SortFunc(r.Agents, func(a, b RatingLine) int {
		return cmp.Or(byName(a.Agent, b.Agent), cmp.Compare(a.Agent.ID, b.Agent.ID))
	})
	return r
}
