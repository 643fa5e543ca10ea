package desk

import (
	"cmp"
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// RatingCell is what the store counts: a period's ratings of one score, by week and by who had the ticket when it was rated.
type RatingCell struct {
	Week  int // index into the weeks asked for
	Agent Ref // zero: nobody
	Score int
	Count int
}

// Opinion is one rating with what it is about.
type Opinion struct {
	Rating
	Subject string
	Agent   Ref // zero: nobody
}

// RatingReport is what requesters thought in a period.
type RatingReport struct {
	From, To time.Time
	Zone     *time.Location // the policy's
	Total    Scores
	Weeks    []RatingLine // one for each week that the period touches
	Agents   []RatingLine // by name, nobody last
	Comments []Opinion    // with words, the newest first
}

// RatingLine is one row of the report.
type RatingLine struct {
	Week  time.Time // its first instant; zero in Agents
	Agent Ref
	Scores
}

// Scores counts ratings by score: the first is of MinScore.
type Scores [MaxScore]int

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
		sum += (i + MinScore) * c
	}
	if n == 0 {
		return 0, false
	}
	return float64(sum) / float64(n), true
}

func reportRatings(weeks []time.Time, cells []RatingCell) RatingReport {
	var r RatingReport
	for _, week := range weeks {
		r.Weeks = append(r.Weeks, RatingLine{Week: week})
	}
	agents := map[ticket.PersonID]*RatingLine{}
	for _, c := range cells {
		if agents[c.Agent.ID] == nil {
			agents[c.Agent.ID] = &RatingLine{Agent: c.Agent}
		}
		for _, scores := range []*Scores{&r.Total, &r.Weeks[c.Week].Scores, &agents[c.Agent.ID].Scores} {
			scores[c.Score-MinScore] += c.Count
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
