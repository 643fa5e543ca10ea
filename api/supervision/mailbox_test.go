package supervision_test

import (
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
)

func TestDashboard_showsMailboxesThatAreNotRead(t *testing.T) {
	o := openFixture(t)
	ctx := t.Context()
	b := o.browser("sam")
	claim := func(name string) {
		if _, held, err := o.ClaimMailbox(ctx, name, "support@desk.example/INBOX", "reader", time.Minute); err != nil || !held {
			t.Fatal(held, err)
		}
	}
	read := func(name string) {
		claim(name)
		if err := o.AdvanceMailbox(ctx, name, "reader", desk.MailboxPosition{Validity: 1, UID: 7}, true); err != nil {
			t.Fatal(err)
		}
	}
	read("orders")
	claim("support")
	if a := b.page("/supervision"); a.Find(`[id^="mailbox-"], #skipped`).Length() != 0 {
		t.Error("mailboxes are shown that are read")
	}
	if err := o.ReleaseMailbox(ctx, "support", "reader", "sign in: the <password> is wrong"); err != nil {
		t.Fatal(err)
	}
	skipped := desk.SkippedMail{Mailbox: "orders", Size: 1 << 30, Sender: "carla@shop.example", Subject: "My <video>", Reason: "too large"}
	if err := o.SkipMail(ctx, "reader", desk.MailboxPosition{Validity: 1, UID: 8}, skipped); err != nil {
		t.Fatal(err)
	}
	a := b.page("/supervision")
	if text := a.Find("#mailbox-support").Text(); !strings.Contains(text, "“support” is not being read, since") || !strings.Contains(text, "the <password> is wrong") {
		t.Errorf("%q", text)
	}
	if text := a.Find("#skipped").Text(); !strings.Contains(text, "“My <video>” from carla@shop.example, in “orders”: too large") {
		t.Errorf("%q", text)
	}
	if a.Find("#mailbox-orders").Length() != 0 {
		t.Error("a mailbox is shown that is read")
	}
	read("support")
	if b.page("/supervision").Find("#mailbox-support").Length() != 0 {
		t.Error("a mailbox is shown that is read again")
	}
}

func TestDashboard_showsMailsThatWaitToBeProcessed(t *testing.T) {
	o := openFixture(t)
	b := o.browser("sam")
	if _, err := o.AddIncoming(t.Context(), desk.IncomingMail{Blob: "blob", Fingerprint: make([]byte, 32), Envelope: desk.Envelope{Source: desk.SourceLMTP, Recipients: []string{}}}); err != nil {
		t.Fatal(err)
	}
	if b.page("/supervision").Find("#unprocessed").Length() != 0 {
		t.Error("a mail is shown that has just arrived")
	}
	o.SQL(`UPDATE incoming_mails SET received_at = received_at - interval '6 minutes'`)
	if a := b.page("/supervision"); !strings.HasPrefix(a.Find("#unprocessed").Text(), "Incoming email: 1 email is not processed yet, the oldest since ") {
		t.Errorf("%q", a.Find("#unprocessed").Text())
	}
	o.SQL(`UPDATE incoming_mails SET status = 'recorded', processed_at = now()`)
	if b.page("/supervision").Find("#unprocessed").Length() != 0 {
		t.Error("a mail is shown that was processed")
	}
}
