package app

import (
	"context"
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/report"
)

// reportStore reads the data of reports. Weeks start at the given times, in ascending order.
type reportStore interface {
	Promises(ctx context.Context, f report.PromiseFilter, weeks []time.Time) ([]report.PromiseCount, error)
	Ratings(ctx context.Context, from, to time.Time, weeks []time.Time) ([]report.RatingCount, error)
	// Comments returns ratings with comments.
	Comments(ctx context.Context, from, to time.Time, limit int) ([]report.Comment, error)

	// OpenTickets counts the tickets that are not closed. The index of a ticket's age band is the number of the times in
	// bands that it was submitted at or before; see report.AgeBands.
	OpenTickets(ctx context.Context, bands []time.Time, dueBefore time.Time) ([]report.OpenCount, error)
	Escalated(ctx context.Context, limit int) (report.Escalations, error)
	Reconciliation(context.Context) (desk.Reconciliation, error)
	Staff(context.Context) ([]desk.Colleague, error)

	MailState(ctx context.Context, lostSince time.Time) (report.MailStatus, error)
	// ListMails lists mails with a status: owed ones oldest first, bounced ones since a given time newest first.
	ListMails(ctx context.Context, status desk.DeliveryStatus, since time.Time, limit int) ([]report.Mail, error)
	MailboxStatuses(ctx context.Context) ([]desk.MailboxStatus, error)
	SkippedMails(ctx context.Context, since time.Time, limit int) ([]desk.SkippedMail, error)
	publishedPolicies
}

// Reports provides the reports for supervisors. The caller checks permissions.
type Reports struct{ store reportStore }

// NewReports returns Reports over a store. Weeks and days are those of the zone of the policy in force.
func NewReports(s reportStore) *Reports { return &Reports{s} }

// Zone returns the zone of the policy in force, which determines weeks and days.
func (r *Reports) Zone(ctx context.Context) (*time.Location, error) {
	_, p, _, err := r.store.PolicyInForce(ctx)
	if err != nil {
		return nil, err
	}
	return p.Zone, nil
}

// Promises returns the report on the promises of a period.
func (r *Reports) Promises(ctx context.Context, f report.PromiseFilter) (report.Promises, error) {
	zone, err := r.Zone(ctx)
	if err != nil {
		return report.Promises{}, err
	}
	counts, err := r.store.Promises(ctx, f, report.Weeks(f.From, f.To, zone))
	if err != nil {
		return report.Promises{}, err
	}
	return report.NewPromises(f, zone, counts), nil
}

// maxComments is the maximum number of comments in a report.
const maxComments = 50

// Ratings returns the report on the ratings that were made or last changed in a period.
func (r *Reports) Ratings(ctx context.Context, from, to time.Time) (report.Ratings, error) {
	zone, err := r.Zone(ctx)
	if err != nil {
		return report.Ratings{}, err
	}
	counts, err := r.store.Ratings(ctx, from, to, report.Weeks(from, to, zone))
	if err != nil {
		return report.Ratings{}, err
	}
	comments, err := r.store.Comments(ctx, from, to, maxComments)
	return report.NewRatings(from, to, zone, counts, comments), err
}

const (
	recentBounces  = 7 * 24 * time.Hour // how long the overview counts a bounced mail
	maxEscalations = 25                 // listed in the overview
	maxSkipped     = 10                 // likewise
)

// Overview returns the overview of all tickets that are not closed, of mail in both directions and of the
// workflows.
func (r *Reports) Overview(ctx context.Context, now time.Time) (report.Overview, error) {
	zone, err := r.Zone(ctx)
	if err != nil {
		return report.Overview{}, err
	}
	counts, err := r.store.OpenTickets(ctx, report.AgeBands(now), desk.Tomorrow(now, zone))
	if err != nil {
		return report.Overview{}, err
	}
	staff, err := r.store.Staff(ctx)
	if err != nil {
		return report.Overview{}, err
	}
	o := report.NewOverview(now, zone, counts, staff)
	if o.Escalations, err = r.store.Escalated(ctx, maxEscalations); err != nil {
		return report.Overview{}, err
	}
	if o.Mail, err = r.store.MailState(ctx, now.Add(-recentBounces)); err != nil {
		return report.Overview{}, err
	}
	if o.Workflows, err = r.store.Reconciliation(ctx); err != nil {
		return report.Overview{}, err
	}
	err = r.mailboxes(ctx, now, &o)
	return o, err
}

// mailboxes sets what is wrong with the mailboxes that are read by IMAP.
func (r *Reports) mailboxes(ctx context.Context, now time.Time, o *report.Overview) error {
	all, err := r.store.MailboxStatuses(ctx)
	if err != nil {
		return err
	}
	o.Unread = slices.DeleteFunc(all, func(m desk.MailboxStatus) bool { return !m.Unread(now) })
	o.Skipped, err = r.store.SkippedMails(ctx, now.Add(-recentBounces), maxSkipped)
	return err
}

// MailDelivery returns the status of mail delivery, the owed mails, oldest first, and the bounced ones, newest first. With
// lately, it returns only the bounced mails that the overview counts.
func (r *Reports) MailDelivery(ctx context.Context, now time.Time, lately bool) (s report.MailStatus, waiting, bounced []report.Mail, err error) {
	if s, err = r.store.MailState(ctx, now.Add(-recentBounces)); err == nil {
		waiting, err = r.store.ListMails(ctx, desk.DeliveryOwed, time.Time{}, report.MaxMails)
	}
	var since time.Time
	if lately {
		since = now.Add(-recentBounces)
	}
	if err == nil {
		bounced, err = r.store.ListMails(ctx, desk.DeliveryBounced, since, report.MaxMails)
	}
	return s, waiting, bounced, err
}
