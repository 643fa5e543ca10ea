package store

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Emergencies returns all emergencies, the most recently declared first.
func (s *Store) Emergencies(ctx context.Context) ([]desk.Emergency, error) {
	all, err := emergencies(ctx, s.pool, `ORDER BY e.declared_at DESC, e.id`)
	return all, explain(err, "list the emergencies")
}

// Emergency returns an emergency by ID. It returns NotFound if there is none.
func (s *Store) Emergency(ctx context.Context, id ticket.EmergencyID) (desk.Emergency, error) {
	e, err := oneEmergency(ctx, s.pool, id)
	return e, explain(err, "read emergency %s", id)
}

func oneEmergency(ctx context.Context, q querier, id ticket.EmergencyID) (desk.Emergency, error) {
	all, err := emergencies(ctx, q, `WHERE e.id = $1`, id)
	if err == nil && len(all) == 0 {
		err = errNoEmergency
	}
	if err != nil {
		return desk.Emergency{}, err
	}
	return all[0], nil
}

// emergencies returns the emergencies e that a clause selects.
func emergencies(ctx context.Context, q querier, clause string, args ...any) ([]desk.Emergency, error) {
	rows, _ := q.Query(ctx, `
		SELECT e.id, e.kind, e.notice, e.starts_at, nullif(e.ends_at, 'infinity'), e.cancelled_at, e.declared_at, e.revision,
			coalesce(p.id, ''), coalesce(p.name, ''), coalesce(p.handle, ''), coalesce(p.role, ''),
			ARRAY(SELECT extract(epoch FROM d.starts_at)::bigint FROM emergency_delays d WHERE d.emergency = e.id ORDER BY d.starts_at),
			ARRAY(SELECT d.seconds FROM emergency_delays d WHERE d.emergency = e.id ORDER BY d.starts_at)
		FROM emergencies e LEFT JOIN people p ON p.id = e.declared_by `+clause, args...)
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (e desk.Emergency, err error) {
		var from, seconds []int64
		err = row.Scan(&e.ID, &e.Kind, &e.Notice, &e.From, nullable(&e.Until), nullable(&e.Cancelled), &e.Declared, &e.Revision,
			&e.By.ID, &e.By.Name, &e.By.Handle, &e.By.Role, &from, &seconds)
		for i := range min(len(from), len(seconds)) {
			e.Delays = append(e.Delays, ticket.Delay{From: time.Unix(from[i], 0).UTC(), By: time.Duration(seconds[i]) * time.Second})
		}
		return e, err
	})
}

// EmergencyChanges returns the changes of an emergency with their authors, oldest first; none if there is no such
// emergency.
func (s *Store) EmergencyChanges(ctx context.Context, id ticket.EmergencyID) ([]desk.EmergencyEdit, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT c.revision, c.act, c.at, c.plan, coalesce(p.id, ''), coalesce(p.name, ''), coalesce(p.handle, ''), coalesce(p.role, '')
		FROM emergency_changes c LEFT JOIN people p ON p.id = c.by_person WHERE c.emergency = $1 ORDER BY c.revision`, id)
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c desk.EmergencyEdit, err error) {
		var plan []byte
		if err = row.Scan(&c.Revision, &c.Act, &c.At, &plan, &c.By.ID, &c.By.Name, &c.By.Handle, &c.By.Role); err == nil {
			err = json.Unmarshal(plan, &c.After)
		}
		return c, err
	})
	return all, explain(err, "read what was done to emergency %s", id)
}

// noticeAge is how long a change made by another process may go unnoticed.
const noticeAge = time.Second

// noticeCache holds the emergencies in force or planned as of a read.
type noticeCache struct {
	revision int64
	read     time.Time
	all      []desk.Emergency
}

// Notices returns the emergencies that are in force or planned, earliest first, for pages and mails. It reads one row a
// second at most, so changes by other processes appear within noticeAge; those by this process appear at once.
func (s *Store) Notices(ctx context.Context) ([]desk.Emergency, error) {
	now := time.Now()
	known := s.notices.Load()
	if known == nil || now.Sub(known.read) >= noticeAge {
		var err error
		if known, err = s.readNotices(ctx, known, now); err != nil {
			return nil, explain(err, "read the notices")
		}
	}
	return slices.DeleteFunc(slices.Clone(known.all), func(e desk.Emergency) bool { return e.Stage(now) == desk.StageOver }), nil
}

// readNotices reads the revision before the emergencies, so that a change in between causes another read.
func (s *Store) readNotices(ctx context.Context, known *noticeCache, now time.Time) (*noticeCache, error) {
	fresh := &noticeCache{read: now}
	if err := s.pool.QueryRow(ctx, `SELECT revision FROM emergency_schedule`).Scan(&fresh.revision); err != nil {
		return nil, err
	}
	if known != nil && known.revision == fresh.revision {
		fresh.all = known.all
	} else {
		var err error
		fresh.all, err = emergencies(ctx, s.pool, `WHERE e.cancelled_at IS NULL AND e.ends_at > now() ORDER BY e.starts_at, e.id`)
		if err != nil {
			return nil, err
		}
	}
	// If changeSchedule has cleared the cache meanwhile, fresh may be stale and is not stored.
	s.notices.CompareAndSwap(known, fresh)
	return fresh, nil
}

// CountAffected counts the tickets that an emergency would affect now, and the requesters who would receive its
// announcements: those with an affected ticket submitted before an instant, or at any time if it is zero.
func (s *Store) CountAffected(ctx context.Context, before time.Time) (c desk.AffectedCount, err error) {
	err = s.pool.QueryRow(ctx, `
		SELECT count(*), count(*) FILTER (WHERE `+concerned+`), count(*) FILTER (WHERE `+concerned+` AND t.breached),
			(SELECT count(*) FROM (`+announcementRecipients+`) r)
		FROM tickets t WHERE t.status <> 'closed'`, instant(before)).
		Scan(&c.Open, &c.Owed, &c.Breached, &c.Requesters)
	return c, explain(err, "count the open tickets")
}

// TicketsWithTargets returns up to limit tickets with targets that are still pending, numbered above after, in order. Ticket
// numbers are random, so the first pages are a fair sample.
func (s *Store) TicketsWithTargets(ctx context.Context, after ticket.Number, limit int) ([]desk.OpenTicket, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT number, requester, policy, submitted_at, priority, category, state->'ticket'
		FROM tickets WHERE status <> 'closed' AND status <> 'resolved' AND number > $1 ORDER BY number LIMIT $2`, after, limit)
	page, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (o desk.OpenTicket, err error) {
		c := &o.Submission
		err = row.Scan(&o.Number, &o.Requester, &o.Policy, &c.At, &c.Priority, &c.Category, &o.State)
		c.Seq, c.Verb, c.By = 1, ticket.VerbSubmit, ticket.Actor{ID: o.Requester, Role: ticket.RoleCustomer}
		c.Message = 1 // any number, which does not affect targets
		return o, err
	})
	return page, explain(err, "read open tickets")
}

// CountAnnouncementMails counts the mails of an emergency's announcements by delivery status.
func (s *Store) CountAnnouncementMails(ctx context.Context, id ticket.EmergencyID) (p desk.DeliveryCounts, err error) {
	err = s.pool.QueryRow(ctx, `
		SELECT count(*) FILTER (WHERE m.status = 'owed'), count(*) FILTER (WHERE m.status = 'sent'),
			count(*) FILTER (WHERE m.status = 'bounced'), count(*) FILTER (WHERE m.status = 'superseded'),
			count(*) FILTER (WHERE m.status = 'held'), max(m.settled_at)
		FROM announcements a JOIN deliveries m ON m.announcement = a.id WHERE a.emergency = $1`, id).
		Scan(&p.Owed, &p.Sent, &p.Bounced, &p.Superseded, &p.Held, nullable(&p.Last))
	return p, explain(err, "count the mails of emergency %s", id)
}
