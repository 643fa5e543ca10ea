package mail_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holesalemart/supportdesk/internal/mail"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestMessageID_isTheSameForTheSameMail(t *testing.T) {
	if got, want := mail.MessageID("HM-7Q2K9XM4TD", 3, 0, "holesalemart.example"), "<hm-7q2k9xm4td.3@holesalemart.example>"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A number is used again in a database that was restored from a backup, and what was sent before keeps its Message-ID.
func TestMessageID_isAnotherInAnotherEpoch(t *testing.T) {
	if got, want := mail.MessageID("HM-7Q2K9XM4TD", 3, 1796000000, "holesalemart.example"), "<hm-7q2k9xm4td.3.1796000000@holesalemart.example>"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSend_keepsTheThreadAcrossEpochs(t *testing.T) {
	id := func(n int, epoch int64) string { return mail.MessageID(number, n, epoch, "holesalemart.example") }
	for name, tt := range map[string]struct {
		own, previous, root   int64
		inReplyTo, references string
	}{
		"the first after a restore":  {7, 0, 0, id(3, 0), id(1, 0) + " " + id(3, 0)},
		"the second":                 {7, 7, 0, id(3, 7), id(1, 0) + " " + id(3, 7)},
		"of a ticket after it":       {7, 7, 7, id(3, 7), id(1, 7) + " " + id(3, 7)},
		"after two restores":         {9, 7, 7, id(3, 7), id(1, 7) + " " + id(3, 7)},
		"owed since before and sent": {0, 0, 0, id(3, 0), id(1, 0) + " " + id(3, 0)},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t, behaviour{})
			l := sampleMail(ticket.MailReply)
			l.N, l.Previous, l.Epoch, l.PreviousEpoch, l.RootEpoch = 5, 3, tt.own, tt.previous, tt.root
			if err := newSender(t, server.config()).Send(t.Context(), l); err != nil {
				t.Fatal(err)
			}
			h := parse(t, server.only(t).data).Header
			got := []string{h.Get("Message-Id"), h.Get("In-Reply-To"), h.Get("References")}
			if diff := cmp.Diff([]string{id(5, tt.own), tt.inReplyTo, tt.references}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSend_keepsOneThreadATicket(t *testing.T) {
	id := func(n int) string { return mail.MessageID(number, n, 0, "holesalemart.example") }
	for name, tt := range map[string]struct {
		kind                  ticket.MailKind
		n, previous           int
		inReplyTo, references string
		auto, precedence      string
	}{
		"the receipt":          {ticket.MailReceipt, 1, 0, "", "", "auto-replied", "auto_reply"},
		"the second":           {ticket.MailAssignment, 2, 1, id(1), id(1), "auto-generated", ""},
		"a later one":          {ticket.MailReply, 5, 3, id(3), id(1) + " " + id(3), "auto-generated", ""},
		"an agent's first":     {ticket.MailReminder, 4, 0, id(1), id(1), "auto-generated", ""},
		"no receipt was owed":  {ticket.MailReply, 1, 0, "", "", "auto-generated", ""},
		"an agent's follow-up": {ticket.MailEscalation, 123456, 123455, id(123455), id(1) + " " + id(123455), "auto-generated", ""},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t, behaviour{})
			l := sampleMail(tt.kind)
			l.N, l.Previous = tt.n, tt.previous
			before := time.Now().Truncate(time.Second)
			s := newSender(t, server.config())
			if err := s.Send(t.Context(), l); err != nil {
				t.Fatal(err)
			}
			data := server.only(t).data
			checkHeaders(t, s, l, data)
			h := parse(t, data).Header
			got := []string{h.Get("Message-Id"), h.Get("In-Reply-To"), h.Get("References"), h.Get("Auto-Submitted"), h.Get("Precedence"),
				h.Get("X-Auto-Response-Suppress"), h.Get("From")}
			want := []string{id(tt.n), tt.inReplyTo, tt.references, tt.auto, tt.precedence, "All",
				`"Holesalemart Support" <support@holesalemart.example>`}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if date, err := h.Date(); err != nil || date.Before(before) || date.After(time.Now()) {
				t.Errorf("Date %v, %v", date, err)
			}
		})
	}
}
