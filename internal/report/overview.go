package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// ageBands are the ages, in days, at which an open ticket enters the next band. The first band begins at none.
var ageBands = []int{1, 3, 7, 14}

// OpenCount is how many tickets that are not closed share a status, an age band and an assignee.
type OpenCount struct {
	Status   ticket.Status
	Band     int      // 0 is the youngest
	Agent    desk.Ref // zero: nobody
	Count    int
	DueToday int // a promise that runs falls due before the end of the day
	Breached int // a promise was broken and is owed still
}

// Overview is the desk at a glance, as it is now.
type Overview struct {
	At          time.Time
	Zone        *time.Location // the policy's, by which today is today
	Bands       []AgeBand      // of age, the youngest first
	Statuses    []StatusLine   // all but closed, in the order of a ticket's life
	Open        int            // tickets that are not closed
	DueToday    int
	Breached    int
	Unassigned  int
	Escalations Escalations
	Agents      []Workload // by load, the highest first
	Mail        MailStatus
	Workflows   desk.Reconciliation
}

// AgeBand is a range of ages, in days: from From on, before To; To 0 is without end.
type AgeBand struct{ From, To int }

// StatusLine counts the tickets of one status by age.
type StatusLine struct {
	Status ticket.Status
	Bands  []int
	Total  int
}

// Workload is what one of the staff has. Resolved tickets are not work to be done, and in no other number.
type Workload struct {
	Agent                   desk.Ref
	Open, Waiting, Resolved int // open: new tickets too
	DueToday, Breached      int
}

// Load is what an agent has to do something about, now or when the requester answers.
func (l Workload) Load() int { return l.Open + l.Waiting }

// Escalations are the tickets whose ladder nobody has answered: the highest rung first, then the oldest.
type Escalations struct {
	Count int
	First []Escalation // a page of them
}

// Escalation is one of them.
type Escalation struct {
	Number         ticket.Number
	Subject        string
	Agent          desk.Ref // zero: nobody
	EscalationStep int
	Ticket         ticket.Ticket
}

// Breached names the promises whose ladder is being climbed.
func (e Escalation) Breached() []policy.ClockName {
	var names []policy.ClockName
	for _, name := range policy.ClockNames() {
		if e.Ticket.Promise(name).Escalating() {
			names = append(names, name)
		}
	}
	return names
}

// Since is when the first of them was broken.
func (e Escalation) Since() time.Time {
	var first time.Time
	for _, name := range e.Breached() {
		if at := e.Ticket.Promise(name).BreachedAt; first.IsZero() || at.Before(first) {
			first = at
		}
	}
	return first
}

// NewOverview returns what the counts of open tickets, by the bands of AgeBands, and the staff say of the desk. Escalations,
// mail and workflows are the caller's to add.
func NewOverview(now time.Time, zone *time.Location, counts []OpenCount, staff []desk.Colleague) Overview {
	o := Overview{At: now, Zone: zone}
	o.count(counts)
	o.load(counts, staff)
	return o
}

// AgeBands returns the instants that bands of age begin at, the latest first: a ticket is in the next band if it was
// submitted at or before one.
func AgeBands(now time.Time) []time.Time {
	var starts []time.Time
	for _, days := range ageBands {
		starts = append(starts, now.Add(-time.Duration(days)*24*time.Hour))
	}
	return starts
}

func (o *Overview) count(counts []OpenCount) {
	from := 0
	for _, days := range ageBands {
		o.Bands = append(o.Bands, AgeBand{from, days})
		from = days
	}
	o.Bands = append(o.Bands, AgeBand{From: from})
	for _, status := range ticket.Statuses() {
		if status == ticket.StatusClosed {
			continue
		}
		line := StatusLine{Status: status, Bands: make([]int, len(o.Bands))}
		for _, c := range counts {
			if c.Status == status {
				line.Bands[c.Band] += c.Count
				line.Total += c.Count
			}
		}
		o.Statuses = append(o.Statuses, line)
	}
	for _, c := range counts {
		o.Open += c.Count
		o.DueToday += c.DueToday
		o.Breached += c.Breached
		if c.Agent.ID == "" {
			o.Unassigned += c.Count
		}
	}
}

// load lists every agent, and who else has tickets.
func (o *Overview) load(counts []OpenCount, staff []desk.Colleague) {
	byAgent := map[ticket.PersonID]*Workload{}
	for _, c := range counts {
		if c.Agent.ID == "" {
			continue
		}
		l := byAgent[c.Agent.ID]
		if l == nil {
			l = &Workload{Agent: c.Agent}
			byAgent[c.Agent.ID] = l
		}
		switch c.Status {
		case ticket.StatusWaiting:
			l.Waiting += c.Count
		case ticket.StatusResolved:
			l.Resolved += c.Count
		default:
			l.Open += c.Count
		}
		l.DueToday += c.DueToday
		l.Breached += c.Breached
	}
	for _, s := range staff {
		if byAgent[s.ID] == nil && s.Role == ticket.RoleAgent {
			byAgent[s.ID] = &Workload{Agent: s.Ref}
		}
	}
	for _, l := range byAgent {
		o.Agents = append(o.Agents, *l)
	}
	slices.SortFunc(o.Agents, func(a, b Workload) int {
		return cmp.Or(cmp.Compare(b.Load(), a.Load()), byName(a.Agent, b.Agent))
	})
}
