package mail_test

import (
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/mail"
	"github.com/holesalemart/supportdesk/internal/outbox"
)

// announcementStore is an in-memory store of announcements. The first that is not deferred is sent first.
type announcementStore struct {
	outbox.Store
	pending  []int64
	deferred map[int64]time.Duration // by how long
	sent     []int64
}

func (p *announcementStore) ClaimNextDelivery(context.Context, outbox.Queue, string, time.Duration) (outbox.Key, bool, error) {
	for _, id := range p.pending {
		if _, off := p.deferred[id]; !off {
			return outbox.Key{Queue: outbox.AnnouncementMails, N: id}, true, nil
		}
	}
	return outbox.Key{}, false, nil
}

func (p *announcementStore) Announcement(_ context.Context, id int64) (desk.Announcement, desk.DeliveryStatus, int, error) {
	return desk.Announcement{ID: id, Tickets: []desk.AffectedTicket{{Number: "HM-7Q2K9XM4TD"}}}, desk.DeliveryOwed, 0, nil
}

func (p *announcementStore) SettleDelivery(_ context.Context, k outbox.Key, _ desk.DeliveryStatus, _ string) error {
	p.pending = slices.DeleteFunc(p.pending, func(o int64) bool { return o == k.N })
	p.sent = append(p.sent, k.N)
	return nil
}

func (p *announcementStore) PostponeDelivery(_ context.Context, k outbox.Key, pause time.Duration) error {
	p.deferred[k.N] = pause
	return nil
}

func (p *announcementStore) ReleaseDelivery(context.Context, outbox.Key, string) error { return nil }

// failingSender fails for one mail.
type failingSender struct {
	mail int64
	err  error
}

func (l *failingSender) SendAnnouncement(_ context.Context, a desk.Announcement) error {
	if a.ID == l.mail {
		return l.err
	}
	return nil
}

// A mail that fails is deferred, so that it delays no other: briefly in an outage, of which the outbox returns an error,
// and for longer if it can't be rendered, which is no error of the outbox.
func TestDeliverNext_aFailedMailStepsAside(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		fails bool
		least time.Duration
		most  time.Duration
	}{
		"an outage": {fault.New(fault.Unavailable, "no answer"), true, time.Second, time.Minute},
		"a defect":  {fault.New(fault.Internal, "no such template"), false, time.Minute, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			p := &announcementStore{pending: []int64{1, 2, 3}, deferred: map[int64]time.Duration{}}
			h := outbox.New(p, map[outbox.Queue]outbox.Transport{outbox.AnnouncementMails: mail.AnnouncementMails(p.Announcement, (&failingSender{mail: 1, err: c.err}).SendAnnouncement)}, slog.New(slog.DiscardHandler))
			found, status, err := h.DeliverNext(t.Context(), outbox.AnnouncementMails)
			if !found || status != desk.DeliveryOwed || (err != nil) != c.fails {
				t.Fatalf("found %t, %q, %v", found, status, err)
			}
			if pause := p.deferred[1]; pause < c.least || pause > c.most {
				t.Errorf("it steps aside for %s", pause)
			}
			for range 2 {
				if found, status, err := h.DeliverNext(t.Context(), outbox.AnnouncementMails); !found || status != desk.DeliverySent || err != nil {
					t.Fatalf("found %t, %q, %v", found, status, err)
				}
			}
			if !slices.Equal(p.sent, []int64{2, 3}) {
				t.Errorf("sent %v", p.sent)
			}
			if found, _, err := h.DeliverNext(t.Context(), outbox.AnnouncementMails); found || err != nil {
				t.Errorf("nothing may be sent now: found %t, %v", found, err)
			}
		})
	}
}
