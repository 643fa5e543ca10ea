package store_test

import (
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// TestListMails_includesAnnouncements, in their order and within the same limit.
func TestListMails_includesAnnouncements(t *testing.T) {
	d := open(t)
	n := d.waitingSince(d.customer, aDay) // its confirmation is not sent yet
	e := d.begun(d.declare(closedBy("Closed.")), anHour)
	d.announce()
	id, found, err := d.NextAnnouncement(t.Context(), "a try", time.Minute)
	if err != nil || !found {
		t.Fatal(found, err)
	}
	waiting, err := d.ListMails(t.Context(), desk.DeliveryOwed, time.Time{}, 10)
	if err != nil || len(waiting) < 2 || waiting[0].Number != n || waiting[0].Emergency != "" || waiting[0].Subject == "" {
		t.Fatalf("%+v, %v", waiting, err)
	}
	last := waiting[len(waiting)-1]
	if last.Emergency != e.ID || last.Number != "" || last.Kind != ticket.MailKind(desk.AnnounceStarted) || last.To.ID != d.customer.ID || last.Owed.IsZero() {
		t.Errorf("the announcement's is %+v", last)
	}
	if first, err := d.ListMails(t.Context(), desk.DeliveryOwed, time.Time{}, 1); err != nil || len(first) != 1 || first[0].Number != n {
		t.Errorf("the oldest alone is %+v, %v", first, err)
	}
	if err := d.AnnouncementBounced(t.Context(), id, "no such mailbox"); err != nil {
		t.Fatal(err)
	}
	bounced, err := d.ListMails(t.Context(), desk.DeliveryBounced, time.Time{}, 10)
	if err != nil || len(bounced) != 1 || bounced[0].Emergency != e.ID || bounced[0].Reason != "no such mailbox" || bounced[0].Settled.IsZero() {
		t.Errorf("bounced: %+v, %v", bounced, err)
	}
}
