// Package report computes reports for supervisors from counts: promises, ratings, an overview of open tickets. It is pure;
// the caller counts. It knows no SQL, HTTP or Temporal.
package report

import (
	"cmp"
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// ageBands are the ages, in days, at which the second and further age bands begin.
var ageBands = []int{1, 3, 7, 14}

// OpenCount is the number of tickets that are not closed and share a status, an age band and an assignee.
type OpenCount struct {
	Status   ticket.Status
	Band     int      // index of the age band; 0 is the youngest
	Agent    desk.Ref // zero: unassigned
	Count    int
	DueToday int // of Count: with a deadline before the end of the day
	Breached int // of Count: overdue
	Snoozed  int // of Count
}

// Overview is the current state of all tickets that are not closed.
type Overview struct {
	At          time.Time
	Zone        *time.Location // the policy's; determines the end of the day
	Bands       []AgeBand      // youngest first
	Statuses    []StatusLine   // all but closed, in the order of ticket.Statuses
	Open        int            // tickets that are not closed
	DueToday    int
	Breached    int
	Unassigned  int
	Escalations Escalations
	Agents      []Workload // highest load first
	Mail        MailStatus
	Workflows   desk.Reconciliation
	Unread      []desk.MailboxStatus // mailboxes that should be read and are not
	Skipped     []desk.SkippedMail   // left in their mailboxes lately, the newest first
}

// AgeBand is the range of ages [From, To), in days. To is 0 for a range without end.
type AgeBand struct{ From, To int }

// StatusLine counts the tickets of one status by age band.
type StatusLine struct {
	Status ticket.Status
	Bands  []int
	Total  int
}

// Workload counts the tickets of one assignee. Resolved tickets are no work and are counted only in Resolved.
type Workload struct {
	Agent                   desk.Ref
	Open, Waiting, Resolved int // Open includes new tickets
	DueToday, Breached      int
}

// Load returns the number of tickets that are neither resolved nor closed.
func (l Workload) Load() int { return l.Open + l.Waiting }

// Escalations are the tickets with an escalation that is not acknowledged.
type Escalations struct {
	Count int
	First []Escalation // the first page, by highest step, then oldest
}

// Escalation is a ticket with an escalation.
type Escalation struct {
	Number         ticket.Number
	Subject        string
	Agent          desk.Ref // zero: unassigned
	EscalationStep int      // the last step that fired
	Ticket         ticket.Ticket
}

// Breached returns the clocks whose breach is being escalated.
func (e Escalation) Breached() []policy.ClockName {
	var names []policy.ClockName
	for _, name := range policy.ClockNames() {
		if e.Ticket.Promise(name).Escalating() {
			names = append(names, name)
		}
	}
	return names
}

// Since returns the time of the earliest breach that is being escalated.
func (e Escalation) Since() time.Time {
	var first time.Time
	for _, name := range e.Breached() {
		if at := e.Ticket.Promise(name).BreachedAt; first.IsZero() || at.Before(first) {
			first = at
		}
	}
	return first
}

// NewOverview returns the overview computed from the counts of tickets, by the bands of AgeBands, and the staff. The caller
// sets the other fields.
func NewOverview(now time.Time, zone *time.Location, counts []OpenCount, staff []desk.Colleague) Overview {
	o := Overview{At: now, Zone: zone}
	o.count(counts)
	o.load(counts, staff)
	return o
}

// AgeBands returns the limits between age bands as times of submission, latest first. The index of a ticket's band is the
// number of limits that it was submitted at or before.
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
			o.Unassigned += c.Count - c.Snoozed // as the queue lists them
		}
	}
}

// load adds the workload of every agent, and of other staff with tickets.
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

// MailStatus counts the mails that are owed, those that were lost since an instant, and incoming ones.
type MailStatus struct {
	Waiting int       // owed mails about tickets
	Oldest  time.Time // of Waiting: when the oldest became owed; zero: none
	PutOff  int       // of Waiting: deferred by a mail server
	Bounced int       // bounced mails about tickets

	AccountsWaiting int // owed mails about accounts, such as sign-in links
	AccountsLost    int // mails about accounts that were given up

	AnnouncementsWaiting int // owed mails about emergencies
	AnnouncementsBounced int // bounced mails about emergencies

	Quarantined       int       // incoming mails that staff decide about
	Unprocessed       int       // incoming mails that are not processed yet
	OldestUnprocessed time.Time // of Unprocessed: since when the oldest waits; zero: none
}

// unprocessedTime is how long an incoming mail may wait to be processed. Usually it takes seconds.
const unprocessedTime = 5 * time.Minute

// Late reports whether incoming mails wait for longer than usual.
func (m MailStatus) Late(now time.Time) bool {
	return m.Unprocessed > 0 && now.Sub(m.OldestUnprocessed) > unprocessedTime
}

// Listed returns the number of owed mails in the supervisors' list. It shows none about accounts, since those contain
// secrets.
func (m MailStatus) Listed() int { return m.Waiting + m.AnnouncementsWaiting }

// ListedBounced returns the number of bounced mails in the supervisors' list.
func (m MailStatus) ListedBounced() int { return m.Bounced + m.AnnouncementsBounced }

// MaxMails is the maximum number of owed mails, and of bounced ones, in the supervisors' list.
const MaxMails = 200

// Mail is a mail in the supervisors' list.
type Mail struct {
	Number    ticket.Number
	Subject   string             // the ticket's
	Emergency ticket.EmergencyID // of an announcement, which has no ticket; otherwise empty
	Kind      ticket.MailKind    // of an announcement: the announcement kind
	To        desk.Ref
	Address   string
	Owed      time.Time
	Deferred  time.Time // when a mail server first deferred it; zero: never
	Settled   time.Time // when it was given up; zero: still owed
	Reason    string    // of a bounce: the mail server's text
}
