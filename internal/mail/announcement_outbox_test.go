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

// pile is announcements' mails in memory: the first that is not put off goes first.
type pile struct {
	outbox.Store
	owed  []int64
	aside map[int64]time.Duration // put off, and for how long
	sent  []int64
}

func (p *pile) ClaimNextDelivery(context.Context, outbox.Queue, string, time.Duration) (outbox.Key, bool, error) {
	for _, id := range p.owed {
		if _, off := p.aside[id]; !off {
			return outbox.Key{Queue: outbox.AnnouncementMails, N: id}, true, nil
		}
	}
	return outbox.Key{}, false, nil
}

func (p *pile) Announcement(_ context.Context, id int64) (desk.Announcement, desk.DeliveryStatus, int, error) {
	return desk.Announcement{ID: id, Tickets: []desk.AffectedTicket{{Number: "HM-7Q2K9XM4TD"}}}, desk.DeliveryOwed, 0, nil
}

func (p *pile) SettleDelivery(_ context.Context, k outbox.Key, _ desk.DeliveryStatus, _ string) error {
	p.owed = slices.DeleteFunc(p.owed, func(o int64) bool { return o == k.N })
	p.sent = append(p.sent, k.N)
	return nil
}

func (p *pile) PostponeDelivery(_ context.Context, k outbox.Key, pause time.Duration) error {
	p.aside[k.N] = pause
	return nil
}

func (p *pile) ReleaseDelivery(context.Context, outbox.Key, string) error { return nil }

// lineOut is a server that fails for one mail, as long as that stands.
type lineOut struct {
	mail int64
	err  error
}

func (l *lineOut) SendAnnouncement(_ context.Context, a desk.Announcement) error {
	if a.ID == l.mail {
		return l.err
	}
	return nil
}

// TestDeliverNext_aFailedMailStepsAside so that it holds up nobody: for a moment when the server went away during it, and
// the outbox says so; for longer when it can't be made, and that is no error.
func TestDeliverNext_aFailedMailStepsAside(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		fails bool
		least time.Duration
		most  time.Duration
	}{
		"an outage": {fault.New(fault.Unavailable, "nobody answers"), true, time.Second, time.Minute},
		"a defect":  {fault.New(fault.Internal, "no such template"), false, time.Minute, time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			p := &pile{owed: []int64{1, 2, 3}, aside: map[int64]time.Duration{}}
			h := outbox.New(p, map[outbox.Queue]outbox.Transport{outbox.AnnouncementMails: mail.NewAnnouncementSender(p, &lineOut{mail: 1, err: c.err})}, slog.New(slog.DiscardHandler))
			found, status, err := h.DeliverNext(t.Context(), outbox.AnnouncementMails)
			if !found || status != desk.DeliveryOwed || (err != nil) != c.fails {
				t.Fatalf("found %t, %q, %v", found, status, err)
			}
			if pause := p.aside[1]; pause < c.least || pause > c.most {
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
