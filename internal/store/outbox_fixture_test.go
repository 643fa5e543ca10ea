package store_test

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func ofTicket(n ticket.Number, mail int) outbox.Key {
	return outbox.Key{Queue: outbox.TicketMails, Ticket: n, N: int64(mail)}
}

func ofWebhook(n ticket.Number, call int) outbox.Key {
	return outbox.Key{Queue: outbox.Webhooks, Ticket: n, N: int64(call)}
}

func ofAnnouncement(id int64) outbox.Key { return outbox.Key{Queue: outbox.AnnouncementMails, N: id} }

func (d *fixture) Sent(ctx context.Context, n ticket.Number, mail int) error {
	return d.SettleDelivery(ctx, ofTicket(n, mail), desk.DeliverySent, "")
}

func (d *fixture) Bounced(ctx context.Context, n ticket.Number, mail int, reason string) error {
	return d.SettleDelivery(ctx, ofTicket(n, mail), desk.DeliveryBounced, reason)
}

func (d *fixture) Deferred(ctx context.Context, n ticket.Number, mail int) (time.Time, error) {
	return d.DeferDelivery(ctx, ofTicket(n, mail), "", 0)
}

func (d *fixture) Claim(ctx context.Context, n ticket.Number, mail int, try string, lasts time.Duration) (bool, error) {
	return d.ClaimDelivery(ctx, ofTicket(n, mail), try, lasts)
}

func (d *fixture) Release(ctx context.Context, n ticket.Number, mail int, try string) error {
	return d.ReleaseDelivery(ctx, ofTicket(n, mail), try)
}

func (d *fixture) NextAnnouncement(ctx context.Context, try string, lasts time.Duration) (int64, bool, error) {
	k, found, err := d.ClaimNextDelivery(ctx, outbox.AnnouncementMails, try, lasts)
	return k.N, found, err
}

func (d *fixture) HoldAnnouncement(ctx context.Context, id int64, try string, lasts time.Duration) error {
	_, err := d.ClaimDelivery(ctx, ofAnnouncement(id), try, lasts)
	return err
}

func (d *fixture) ReleaseAnnouncement(ctx context.Context, id int64, try string) error {
	return d.ReleaseDelivery(ctx, ofAnnouncement(id), try)
}

func (d *fixture) AnnouncementSent(ctx context.Context, id int64) error {
	return d.SettleDelivery(ctx, ofAnnouncement(id), desk.DeliverySent, "")
}

func (d *fixture) AnnouncementBounced(ctx context.Context, id int64, reason string) error {
	return d.SettleDelivery(ctx, ofAnnouncement(id), desk.DeliveryBounced, reason)
}

func (d *fixture) CallMade(ctx context.Context, n ticket.Number, call int) error {
	return d.SettleDelivery(ctx, ofWebhook(n, call), desk.DeliverySent, "")
}

func (d *fixture) CallFailed(ctx context.Context, n ticket.Number, call int, reason string) error {
	return d.SettleDelivery(ctx, ofWebhook(n, call), desk.DeliveryFailed, reason)
}

func (d *fixture) CallPutOff(ctx context.Context, n ticket.Number, call int, reason string) (time.Time, error) {
	return d.DeferDelivery(ctx, ofWebhook(n, call), reason, 0)
}
