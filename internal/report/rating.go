package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// RatingCount is how many ratings of a period have one score, by week and by who had the ticket when it was rated.
type RatingCount struct {
	Week  int      // index into the weeks asked for
	Agent desk.Ref // zero: nobody
	Score int
	Count int
}

// Comment is a rating that has words, with what it is about.
type Comment struct {
	desk.Rating
	Subject string
	Agent   desk.Ref // zero: nobody
}

// Ratings is what requesters thought in a period.
type Ratings struct {
	From, To time.Time
	Zone     *time.Location // the policy's
	Total    Scores
	Weeks    []RatingLine // one for each week that the period touches
	Agents   []RatingLine // by name, nobody last
	Comments []Comment    // with words, the newest first
}

// RatingLine is one row of the report.
type RatingLine struct {
	Week  time.Time // its first instant; zero in Agents
	Agent desk.Ref
	Scores
}

// Scores counts ratings by score: the first is of desk.MinScore.
type Scores [desk.MaxScore]int

// Count is how many ratings there are.
func (s Scores) Count() int {
	n := 0
	for _, c := range s {
		n += c
	}
	return n
}

// Average is the mean score; false without a rating.
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

// NewRatings returns the report of a period, whose weeks in a zone are those of the counts.
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
