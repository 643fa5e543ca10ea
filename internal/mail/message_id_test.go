package mail_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// TestSend_givesEveryKindTheMessageIDOfTheGoldenFile: mailboxes drop what they have by it, threads hang on it, and a mail
// that is owed while a version replaces another must not go out under two. It is a change for every mailbox there is.
func TestSend_givesEveryKindTheMessageIDOfTheGoldenFile(t *testing.T) {
	server := newServer(t, behaviour{})
	sender := newSender(t, server.config())
	var list strings.Builder
	sent := 0
	record := func(kind string, err error) {
		t.Helper()
		all := server.all()
		if sent++; err != nil || len(all) != sent {
			t.Fatalf("%s: %d of %d mails arrived: %v", kind, len(all), sent, err)
		}
		h := parse(t, all[sent-1].data).Header
		fmt.Fprintf(&list, "%s: %s\n", kind, h.Get("Message-Id"))
		for _, name := range []string{"In-Reply-To", "References"} {
			if h.Get(name) != "" {
				fmt.Fprintf(&list, "\t%s: %s\n", name, h.Get(name))
			}
		}
	}
	for _, kind := range ticket.MailKinds() {
		record("ticket/"+string(kind), sender.Send(t.Context(), sampleMail(kind)))
	}
	restored := sampleMail(ticket.MailReply)
	restored.Epoch, restored.Thread = 1796000000, []desk.ThreadMail{{N: 1}, {N: 2, Epoch: 1796000000}}
	record("ticket/reply after a restore", sender.Send(t.Context(), restored))
	proven := sampleMail(ticket.MailReply)
	proven.MAC, proven.Thread = mac, []desk.ThreadMail{{ID: "first@client.example"}, {N: 1, MAC: mac}}
	record("ticket/reply with a proof", sender.Send(t.Context(), proven))
	for _, kind := range account.MailKinds() {
		record("account/"+string(kind), sender.SendAccount(t.Context(), account.Mail{
			ID: 7, Kind: kind, To: desk.Mailbox{Address: "carla@example.com"}, URL: "https://support.example.com/link/SAMPLE",
			At: time.Now(), Until: time.Now(), Policy: samplePolicy(time.UTC),
		}))
	}
	for _, kind := range []desk.AnnouncementKind{desk.AnnouncePlanned, desk.AnnounceStarted, desk.AnnounceChanged, desk.AnnounceEnded, desk.AnnounceCancelled} {
		record("announcement/"+string(kind), sender.SendAnnouncement(t.Context(), announcement(kind, ticket.EmergencyClosed, desk.StageInForce)))
	}
	golden(t, "message-id/all.txt", list.String())
}
