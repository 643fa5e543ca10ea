package desk

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// counts is what the store counts for reports.
type counts interface {
	// Promises counts by the weeks that begin at the given instants, ascending.
	Promises(context.Context, PromiseFilter, []time.Time) ([]PromiseCell, error)
	// OpenTickets counts by age: a ticket's band is how many of the instants it was submitted at or before.
	OpenTickets(ctx context.Context, bands []time.Time, dueBefore time.Time) ([]OpenCell, error)
	Escalated(ctx context.Context, limit int) (Escalations, error)
	MailState(ctx context.Context, lostSince time.Time) (MailState, error)
	Parcels(ctx context.Context, status DeliveryStatus, since time.Time, limit int) ([]Parcel, error)
	Reconciliation(context.Context) (Reconciliation, error)
	Staff(context.Context) ([]Colleague, error)
	Ratings(ctx context.Context, from, to time.Time, weeks []time.Time) ([]RatingCell, error)
	Comments(ctx context.Context, from, to time.Time, limit int) ([]Opinion, error)
}

// Reports makes what supervisors read of the counts that the store keeps. Who may read them is the caller's to check.
type Reports struct {
	store    counts
	policies policies
}

// NewReports makes the reports on a store's counts; weeks and days are those of the zone of the policy in force.
func NewReports(c counts, p policies) *Reports { return &Reports{store: c, policies: p} }

// Zone is the zone that weeks and days are counted in: that of the policy in force.
func (r *Reports) Zone(ctx context.Context) (*time.Location, error) {
	_, p, _, err := r.policies.PolicyInForce(ctx)
	if err != nil {
		return nil, err
	}
	return p.Zone, nil
}

// Promises reports on the promises of a period.
func (r *Reports) Promises(ctx context.Context, f PromiseFilter) (PromiseReport, error) {
	zone, err := r.Zone(ctx)
	if err != nil {
		return PromiseReport{}, err
	}
	weeks := Weeks(f.From, f.To, zone)
	cells, err := r.store.Promises(ctx, f, weeks)
	if err != nil {
		return PromiseReport{}, err
	}
	names := policy.ClockNames()
	made := PromiseReport{Filter: f, Zone: zone, Weeks: weeks, Clocks: make([]ClockReport, len(names))}
	var tallying sync.WaitGroup
	for i, name := range names {
		tallying.Go(func() {
			made.Clocks[i] = report(name, weeks, slices.DeleteFunc(slices.Clone(cells), func(c PromiseCell) bool { return c.Clock != name }))
		})
	}
	tallying.Wait()
	return made, nil
}

// mostComments is how many comments a report shows.
const mostComments = 50

// Ratings reports on the ratings that were given, or last changed, in a period.
func (r *Reports) Ratings(ctx context.Context, from, to time.Time) (RatingReport, error) {
	zone, err := r.Zone(ctx)
	if err != nil {
		return RatingReport{}, err
	}
	weeks := Weeks(from, to, zone)
	cells, err := r.store.Ratings(ctx, from, to, weeks)
	if err != nil {
		return RatingReport{}, err
	}
	made := reportRatings(weeks, cells)
	made.From, made.To, made.Zone = from, to, zone
	made.Comments, err = r.store.Comments(ctx, from, to, mostComments)
	return made, err
}

// MostParcels is how many mails of each kind the mailroom lists.
const MostParcels = 200

// Mailroom returns how mail goes out, the mails that wait, the oldest first, and those that bounced, the newest first:
// with lately, only those that the overview counts.
func (r *Reports) Mailroom(ctx context.Context, now time.Time, lately bool) (s MailState, waiting, bounced []Parcel, err error) {
	if s, err = r.store.MailState(ctx, now.Add(-bounceMemory)); err == nil {
		waiting, err = r.store.Parcels(ctx, DeliveryOwed, time.Time{}, MostParcels)
	}
	var since time.Time
	if lately {
		since = now.Add(-bounceMemory)
	}
	if err == nil {
		bounced, err = r.store.Parcels(ctx, DeliveryBounced, since, MostParcels)
	}
	return s, waiting, bounced, err
}
