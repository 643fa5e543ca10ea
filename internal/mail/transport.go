package mail

import (
	"context"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// TicketMails returns the transport of ticket mails. load returns the data and delivery status of a ticket's nth mail; only a
// pending mail has data. In production, send is a Sender's.
func TicketMails(
	load func(ctx context.Context, number ticket.Number, n int) (desk.MailData, desk.DeliveryStatus, error),
	send func(context.Context, desk.MailData) error,
) outbox.Transport {
	return func(ctx context.Context, k outbox.Key) (outbox.Delivery, error) {
		data, status, err := load(ctx, k.Ticket, int(k.N))
		return outbox.Delivery{
			Status: status, Barred: barred(data.Disabled),
			Send: func(ctx context.Context) error { return send(ctx, data) },
		}, err
	}
}

// AnnouncementMails returns the transport of announcements, as TicketMails does. load also returns the number of attempts.
func AnnouncementMails(
	load func(ctx context.Context, id int64) (desk.Announcement, desk.DeliveryStatus, int, error),
	send func(context.Context, desk.Announcement) error,
) outbox.Transport {
	return func(ctx context.Context, k outbox.Key) (outbox.Delivery, error) {
		a, status, tries, err := load(ctx, k.N)
		return outbox.Delivery{
			Status: status, Tries: tries, Barred: barred(a.Disabled), Obsolete: len(a.Tickets) == 0,
			Send: func(ctx context.Context) error { return send(ctx, a) },
		}, err
	}
}

// AccountMails returns the transport of account mails, as TicketMails does.
func AccountMails(
	load func(ctx context.Context, id int64) (account.Mail, desk.DeliveryStatus, error),
	send func(context.Context, account.Mail) error,
) outbox.Transport {
	return func(ctx context.Context, k outbox.Key) (outbox.Delivery, error) {
		mail, status, err := load(ctx, k.N)
		return outbox.Delivery{
			Status: status, Tries: mail.Tries, Until: mail.Until,
			Send: func(ctx context.Context) error { return send(ctx, mail) },
		}, err
	}
}

// barred returns why a disabled recipient must not receive a mail.
func barred(disabled bool) string {
	if disabled {
		return "the recipient has been disabled"
	}
	return ""
}
