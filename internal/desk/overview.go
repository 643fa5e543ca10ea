package desk

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// ageBands are the ages, in days, at which a living ticket enters the next band. The first band begins at none.
var ageBands = []int{1, 3, 7, 14}

// OpenCell is what the store counts: the tickets that are not closed which share a status, an age band and an assignee.
type OpenCell struct {
	Status   ticket.Status
	Band     int // 0 is the youngest
	Agent    Ref // zero: nobody
	Count    int
	DueToday int // a promise that runs falls due before the end of the day
	Breached int // a promise was broken and is owed still
}

// Overview is the desk at a glance, as it is now.
type Overview struct {
	At          time.Time
	Zone        *time.Location // the policy's, by which today is today
	Bands       []Band         // of age, the youngest first
	Statuses    []StatusLine   // all but closed, in the order of a ticket's life
	Open        int            // tickets that are not closed
	DueToday    int
	Breached    int
	Unassigned  int
	Escalations Escalations
	Agents      []AgentLoad // by load, the highest first
	Mail        MailState
	Workflows   Reconciliation
}

// Band is a range of ages, in days: from From on, before To; To 0 is without end.
type Band struct{ From, To int }

// StatusLine counts the tickets of one status by age.
type StatusLine struct {
	Status ticket.Status
	Bands  []int
	Total  int
}

// AgentLoad is what one of the staff has. Resolved tickets are not work to be done, and in no other number.
type AgentLoad struct {
	Agent                   Ref
	Open, Waiting, Resolved int // open: new tickets too
	DueToday, Breached      int
}

// Load is what an agent has to do something about, now or when the requester answers.
func (l AgentLoad) Load() int { return l.Open + l.Waiting }

// Escalations are the tickets whose ladder nobody has answered: the highest rung first, then the oldest.
type Escalations struct {
	Count int
	First []Escalation // a page of them
}

// Escalation is one of them.
type Escalation struct {
	Number  ticket.Number
	Subject string
	Agent   Ref // zero: nobody
	Rung    int
	Ticket  ticket.Ticket
}

// Broken names the promises whose ladder is being climbed.
func (e Escalation) Broken() []policy.ClockName {
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
	for _, name := range e.Broken() {
		if at := e.Ticket.Promise(name).BreachedAt; first.IsZero() || at.Before(first) {
			first = at
		}
	}
	return first
}

// bounceMemory is how long the overview counts a mail that bounced.
const bounceMemory = 7 * 24 * time.Hour

// mostEscalations is how many the overview lists.
const mostEscalations = 25

// Tomorrow is when the day of an instant ends in a zone.
func Tomorrow(now time.Time, zone *time.Location) time.Time {
	today := now.In(zone)
	return time.Date(today.Year(), today.Month(), today.Day()+1, 0, 0, 0, 0, zone)
}

// Overview gives the desk at a glance.
func (r *Reports) Overview(ctx context.Context, now time.Time) (Overview, error) {
	_, p, _, err := r.policies.PolicyInForce(ctx)
	if err != nil {
		return Overview{}, err
	}
	o := Overview{At: now, Zone: p.Zone}
	cells, err := r.store.OpenTickets(ctx, bandStarts(now), Tomorrow(now, p.Zone))
	if err != nil {
		return Overview{}, err
	}
	if o.Escalations, err = r.store.Escalated(ctx, mostEscalations); err != nil {
		return Overview{}, err
	}
	if o.Mail, err = r.store.MailState(ctx, now.Add(-bounceMemory)); err != nil {
		return Overview{}, err
	}
	if o.Workflows, err = r.store.Reconciliation(ctx); err != nil {
		return Overview{}, err
	}
	staff, err := r.store.Staff(ctx)
	if err != nil {
		return Overview{}, err
	}
	o.count(cells)
	o.load(cells, staff)
	return o, nil
}

// bandStarts are the instants before which a ticket was submitted to be in the next band, the latest first.
func bandStarts(now time.Time) []time.Time {
	var starts []time.Time
	for _, days := range ageBands {
		starts = append(starts, now.Add(-time.Duration(days)*24*time.Hour))
	}
	return starts
}

func (o *Overview) count(cells []OpenCell) {
	from := 0
	for _, days := range ageBands {
		o.Bands = append(o.Bands, Band{from, days})
		from = days
	}
	o.Bands = append(o.Bands, Band{From: from})
	for _, status := range ticket.Statuses() {
		if status == ticket.StatusClosed {
			continue
		}
		line := StatusLine{Status: status, Bands: make([]int, len(o.Bands))}
		for _, c := range cells {
			if c.Status == status {
				line.Bands[c.Band] += c.Count
				line.Total += c.Count
			}
		}
		o.Statuses = append(o.Statuses, line)
	}
	for _, c := range cells {
		o.Open += c.Count
		o.DueToday += c.DueToday
		o.Breached += c.Breached
		if c.Agent.ID == "" {
			o.Unassigned += c.Count
		}
	}
}

// load gives every agent, and whoever else has tickets.
func (o *Overview) load(cells []OpenCell, staff []Colleague) {
	byAgent := map[ticket.PersonID]*AgentLoad{}
	for _, c := range cells {
		if c.Agent.ID == "" {
			continue
		}
		l := byAgent[c.Agent.ID]
		if l == nil {
			l = &AgentLoad{Agent: c.Agent}
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
			byAgent[s.ID] = &AgentLoad{Agent: s.Ref}
		}
	}
	for _, l := range byAgent {
		o.Agents = append(o.Agents, *l)
	}
	slices.SortFunc(o.Agents, func(a, b AgentLoad) int {
		return cmp.Or(cmp.Compare(b.Load(), a.Load()), byName(a.Agent, b.Agent))
	})
}
