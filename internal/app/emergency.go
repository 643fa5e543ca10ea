package app

import (
	"context"
	"math"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// emergencyWriter changes the emergency schedule and records who did.
type emergencyWriter interface {
	DeclareEmergency(context.Context, desk.Person, desk.EmergencyPlan) (desk.Emergency, error)
	ChangeEmergency(context.Context, desk.Person, ticket.EmergencyID, desk.EmergencyChange) (desk.Emergency, error)
	EndEmergency(context.Context, desk.Person, ticket.EmergencyID) (desk.Emergency, error)
}

// emergencyReader reads emergencies and the emergency schedule.
type emergencyReader interface {
	Emergency(context.Context, ticket.EmergencyID) (desk.Emergency, error)
	Emergencies(context.Context) ([]desk.Emergency, error)
	EmergencyChanges(context.Context, ticket.EmergencyID) ([]desk.EmergencyEdit, error)
	Notices(context.Context) ([]desk.Emergency, error)
	Gate(context.Context) (ticket.Gate, error)
}

// affectedReader reads which tickets and people an emergency affects, and the progress of notifying them.
type affectedReader interface {
	// Census counts open tickets and the people who are mailed. Only tickets submitted before an instant count for the
	// mails; with a zero instant all do.
	Census(ctx context.Context, before time.Time) (desk.Census, error)
	OwedTickets(ctx context.Context, after ticket.Number, limit int) ([]desk.OpenTicket, error)
	Postbag(context.Context, ticket.EmergencyID) (desk.Postbag, error)
	LatestFanout(context.Context) (desk.Fanout, bool, error)
	// MeasuredFanout returns the last completed fan-out to at least so many tickets.
	MeasuredFanout(ctx context.Context, least int) (desk.Fanout, bool, error)
}

type emergencyStore interface {
	emergencyWriter
	emergencyReader
	affectedReader
}

// Emergencies lets supervisors declare, change and end desk-wide emergencies, preview the effect, and follow how it
// reaches every ticket.
type Emergencies struct {
	store    emergencyStore
	policies publishedPolicies
	relay    waker
	dryRuns  chan struct{} // a semaphore of maxDryRuns
}

// NewEmergencies returns Emergencies over a store. It wakes c after every change of the emergency schedule.
func NewEmergencies(s emergencyStore, p publishedPolicies, c waker) *Emergencies {
	return &Emergencies{store: s, policies: p, relay: c, dryRuns: make(chan struct{}, maxDryRuns)}
}

func mustCommand(p desk.Person) error {
	if !p.Role.Commands() {
		return fault.New(fault.Forbidden, "your role may not do this")
	}
	return nil
}

// Declare declares an emergency. Once it returns, the emergency applies to every ticket, whether or not its workflow has
// been notified.
func (m *Emergencies) Declare(ctx context.Context, by desk.Person, p desk.EmergencyPlan) (desk.Emergency, error) {
	return m.command(by, func() (desk.Emergency, error) { return m.store.DeclareEmergency(ctx, by, p) })
}

// Change changes an emergency from now on.
func (m *Emergencies) Change(ctx context.Context, by desk.Person, id ticket.EmergencyID, c desk.EmergencyChange) (desk.Emergency, error) {
	return m.command(by, func() (desk.Emergency, error) { return m.store.ChangeEmergency(ctx, by, id, c) })
}

// End lifts an active emergency or cancels a planned one.
func (m *Emergencies) End(ctx context.Context, by desk.Person, id ticket.EmergencyID) (desk.Emergency, error) {
	return m.command(by, func() (desk.Emergency, error) { return m.store.EndEmergency(ctx, by, id) })
}

// command authorises and runs a change. Manual commands come through Operator instead.
func (m *Emergencies) command(by desk.Person, do func() (desk.Emergency, error)) (desk.Emergency, error) {
	if err := mustCommand(by); err != nil {
		return desk.Emergency{}, err
	}
	e, err := do()
	if err == nil {
		m.relay.Wake()
	}
	return e, err
}

// List returns every emergency, the last declared first.
func (m *Emergencies) List(ctx context.Context, by desk.Person) ([]desk.Emergency, error) {
	if err := mustCommand(by); err != nil {
		return nil, err
	}
	return m.store.Emergencies(ctx)
}

// Current returns the active and planned emergencies, earliest first.
func (m *Emergencies) Current(ctx context.Context) ([]desk.Emergency, error) {
	return m.store.Notices(ctx)
}

// File returns an emergency with its changes and the progress of its announcements.
func (m *Emergencies) File(ctx context.Context, by desk.Person, id ticket.EmergencyID) (desk.EmergencyFile, error) {
	if err := mustCommand(by); err != nil {
		return desk.EmergencyFile{}, err
	}
	e, err := m.store.Emergency(ctx, id)
	f := desk.EmergencyFile{Emergency: e}
	if err == nil {
		f.Edits, err = m.store.EmergencyChanges(ctx, id)
	}
	if err == nil {
		f.Mails, err = m.store.Postbag(ctx, id)
	}
	return f, err
}

// Fanout returns the progress of notifying open tickets of the last transition, and false if there was none.
func (m *Emergencies) Fanout(ctx context.Context) (desk.Fanout, bool, error) {
	return m.store.LatestFanout(ctx)
}

// DryDeclare returns what Declare would do, and refuses what it would refuse.
func (m *Emergencies) DryDeclare(ctx context.Context, by desk.Person, p desk.EmergencyPlan) (desk.DryRun, error) {
	if err := mustCommand(by); err != nil {
		return desk.DryRun{}, err
	}
	lasting, err := m.store.Notices(ctx)
	if err == nil {
		err = desk.Another(len(lasting))
	}
	if err != nil {
		return desk.DryRun{}, err
	}
	at := nextSecond()
	after, err := p.Declared(undeclaredID, desk.Ref{ID: by.ID, Name: by.Name, Handle: by.Handle, Role: by.Role}, at)
	if err != nil {
		return desk.DryRun{}, err
	}
	return m.dryRun(ctx, desk.DryRun{At: at, After: after})
}

// DryChange returns what Change would do, and refuses what it would refuse.
func (m *Emergencies) DryChange(ctx context.Context, by desk.Person, id ticket.EmergencyID, c desk.EmergencyChange) (desk.DryRun, error) {
	return m.dry(ctx, by, id, func(e desk.Emergency, at time.Time) (desk.Emergency, error) { return e.Changed(c, at) })
}

// DryEnd returns what End would do, and refuses what it would refuse.
func (m *Emergencies) DryEnd(ctx context.Context, by desk.Person, id ticket.EmergencyID) (desk.DryRun, error) {
	return m.dry(ctx, by, id, desk.Emergency.Ended)
}

func (m *Emergencies) dry(ctx context.Context, by desk.Person, id ticket.EmergencyID, change func(desk.Emergency, time.Time) (desk.Emergency, error)) (desk.DryRun, error) {
	if err := mustCommand(by); err != nil {
		return desk.DryRun{}, err
	}
	before, err := m.store.Emergency(ctx, id)
	if err != nil {
		return desk.DryRun{}, err
	}
	d := desk.DryRun{At: nextSecond(), Before: &before}
	if d.After, err = change(before, d.At); err != nil {
		return desk.DryRun{}, err
	}
	return m.dryRun(ctx, d)
}

// undeclaredID is the ID of an emergency that has not been declared.
const undeclaredID ticket.EmergencyID = "E-0000000000"

func nextSecond() time.Time { return time.Now().UTC().Truncate(time.Second).Add(time.Second) }

const (
	// A dry run examines at most so many tickets and for so long, since a request waits for it. Ticket numbers are random,
	// so the first ones are a fair sample.
	maxExamined    = 20_000
	maxExamineTime = 2500 * time.Millisecond
	examinePage    = 500
	maxDryRuns     = 2   // concurrent dry runs; each may keep a processor busy
	minMeasured    = 100 // tickets in a fan-out whose rate is representative
	assumedRate    = 100 // tickets a second, until a fan-out was measured
)

var errTooManyDryRuns = fault.New(fault.Limited, "too many previews are running: try again in a moment")

// dryRun reads every ticket with pending promises, or a sample of them, page by page, and computes their deadlines under
// the current and the changed emergency schedule. It returns a Limited fault while too many dry runs are in progress.
func (m *Emergencies) dryRun(ctx context.Context, d desk.DryRun) (desk.DryRun, error) {
	select {
	case m.dryRuns <- struct{}{}:
		defer func() { <-m.dryRuns }()
	default:
		return desk.DryRun{}, errTooManyDryRuns
	}
	var err error
	said := expectMails(&d)
	if d.Census, err = m.store.Census(ctx, d.Tells.Before(said)); err != nil {
		return desk.DryRun{}, err
	}
	gate, err := m.store.Gate(ctx)
	if err != nil {
		return desk.DryRun{}, err
	}
	planned, sums, last := withEmergency(gate, d.After), newDryRunTotals(), ticket.Number("")
	for until := time.Now().Add(maxExamineTime); sums.examined < maxExamined && time.Now().Before(until); {
		page, err := m.store.OwedTickets(ctx, last, examinePage)
		if err != nil {
			return desk.DryRun{}, err
		}
		for _, o := range page {
			if err := m.compare(ctx, sums, o, gate, planned); err != nil {
				return desk.DryRun{}, err
			}
			last = o.Number
		}
		if len(page) < examinePage {
			d.Owed = sums.examined // the count may have changed since the census
			break
		}
	}
	sums.into(&d)
	return m.estimate(ctx, d)
}

// compare computes a ticket's deadlines under both schedules.
func (m *Emergencies) compare(ctx context.Context, sums *dryRunTotals, o desk.OpenTicket, is, would ticket.Gate) error {
	p, err := m.policies.Policy(ctx, o.Policy)
	if err != nil {
		return err
	}
	t, err := currentTicket(o, ticket.Desk{Policy: p, Gate: is})
	if err != nil {
		return err
	}
	before, err := ticket.Expected(t, ticket.Desk{Policy: p, Gate: is})
	if err != nil {
		return err
	}
	after, err := ticket.Expected(t, ticket.Desk{Policy: p, Gate: would})
	if err == nil {
		sums.add(t, before, after)
	}
	return err
}

// currentTicket returns the ticket's state. For a ticket before its first step it decides the submission.
func currentTicket(o desk.OpenTicket, d ticket.Desk) (ticket.Ticket, error) {
	if o.State != nil {
		return *o.State, nil
	}
	first, err := ticket.Take(ticket.Draft(o.Number, o.Requester, o.Policy, d.Policy), d, o.Submission)
	return first.Ticket, err
}

// estimate predicts how long notifying every ticket takes, at the rate of the last measured fan-out.
func (m *Emergencies) estimate(ctx context.Context, d desk.DryRun) (desk.DryRun, error) {
	last, measured, err := m.store.MeasuredFanout(ctx, minMeasured)
	if err != nil {
		return desk.DryRun{}, err
	}
	d.Rate = assumedRate
	if rate := last.Rate(); measured && rate > 0 {
		d.Rate, d.Measured = rate, last.Proven
	}
	d.Fanout = time.Duration(math.Ceil(float64(d.Open)/d.Rate)) * time.Second
	return d, nil
}
