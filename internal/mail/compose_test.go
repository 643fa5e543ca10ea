package mail_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/inbound/automatic"
	"github.com/holesalemart/supportdesk/internal/link"
	"github.com/holesalemart/supportdesk/internal/mail"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestMessageID_isTheSameForTheSameMail(t *testing.T) {
	if got, want := mail.MessageID("HM-7Q2K9XM4TD", 3, 0, "", "holesalemart.example"), "<hm-7q2k9xm4td.3@holesalemart.example>"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A number is used again in a database that was restored from a backup, and what was sent before keeps its Message-ID.
func TestMessageID_isAnotherInAnotherEpoch(t *testing.T) {
	if got, want := mail.MessageID("HM-7Q2K9XM4TD", 3, 1796000000, "", "holesalemart.example"), "<hm-7q2k9xm4td.3.1796000000@holesalemart.example>"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSend_keepsTheThreadAcrossEpochs(t *testing.T) {
	id := func(n int, epoch int64) string { return mail.MessageID(number, n, epoch, "", "holesalemart.example") }
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
			l.N, l.Epoch, l.Thread = 5, tt.own, []desk.ThreadMail{{N: 1, Epoch: tt.root}, {N: 3, Epoch: tt.previous}}
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
	id := func(n int) string { return mail.MessageID(number, n, 0, "", "holesalemart.example") }
	for name, tt := range map[string]struct {
		kind                  ticket.MailKind
		n                     int
		earlier               []int
		inReplyTo, references string
		auto, precedence      string
	}{
		"the receipt":          {ticket.MailReceipt, 1, nil, "", "", "auto-replied", "auto_reply"},
		"the second":           {ticket.MailAssignment, 2, []int{1}, id(1), id(1), "auto-generated", ""},
		"a later one":          {ticket.MailReply, 5, []int{1, 3}, id(3), id(1) + " " + id(3), "auto-generated", ""},
		"an agent's first":     {ticket.MailReminder, 4, []int{1}, id(1), id(1), "auto-generated", ""},
		"no receipt was owed":  {ticket.MailReply, 1, nil, "", "", "auto-generated", ""},
		"an agent's follow-up": {ticket.MailEscalation, 123456, []int{1, 123455}, id(123455), id(1) + " " + id(123455), "auto-generated", ""},
	} {
		t.Run(name, func(t *testing.T) {
			server := newServer(t, behaviour{})
			l := sampleMail(tt.kind)
			l.N, l.Thread = tt.n, nil
			for _, n := range tt.earlier {
				l.Thread = append(l.Thread, desk.ThreadMail{N: n})
			}
			before := time.Now().Truncate(time.Second)
			s := newSender(t, server.config())
			if err := s.Send(t.Context(), l); err != nil {
				t.Fatal(err)
			}
			data := server.only(t).data
			checkHeaders(t, s, l, data)
			h := parse(t, data).Header
			got := []string{h.Get("Message-Id"), h.Get("In-Reply-To"), h.Get("References"), h.Get("Auto-Submitted"), h.Get("Precedence"),
				h.Get("X-Auto-Response-Suppress"), h.Get("From"), h.Get(automatic.DeskHeader), h.Get("List-Unsubscribe")}
			want := []string{id(tt.n), tt.inReplyTo, tt.references, tt.auto, tt.precedence, "All",
				`"Holesalemart Support" <support@holesalemart.example>`, "support@holesalemart.example", ""}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if date, err := h.Date(); err != nil || date.Before(before) || date.After(time.Now()) {
				t.Errorf("Date %v, %v", date, err)
			}
		})
	}
}

const mac = "m0123456789abcdef"

func TestMessageID_hasAProofThatTheDeskMadeIt(t *testing.T) {
	if got, want := mail.MessageID("HM-7Q2K9XM4TD", 3, 7, mac, "holesalemart.example"), "<hm-7q2k9xm4td.3.7.m0123456789abcdef@holesalemart.example>"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSend_refersToTheWholeConversation(t *testing.T) {
	server := newServer(t, behaviour{})
	l := sampleMail(ticket.MailReply)
	l.N, l.MAC = 60, mac
	l.Thread = []desk.ThreadMail{{ID: "first@client.example"}, {N: 1, MAC: mac}, {ID: "not valid@client.example"}, {ID: "a>\r\nBcc: x@client.example"}, {ID: ""}}
	for n := 2; n < 60; n++ {
		l.Thread = append(l.Thread, desk.ThreadMail{N: n, MAC: mac})
	}
	l.Thread = append(l.Thread, desk.ThreadMail{ID: "last@client.example"})
	if err := newSender(t, server.config()).Send(t.Context(), l); err != nil {
		t.Fatal(err)
	}
	h := parse(t, server.only(t).data).Header
	references := strings.Fields(h.Get("References"))
	if h.Get("In-Reply-To") != "<last@client.example>" || len(references) != 20 || references[0] != "<first@client.example>" ||
		references[1] != mail.MessageID(number, 42, 0, mac, "holesalemart.example") || references[19] != "<last@client.example>" {
		t.Errorf("In-Reply-To %s, References %v", h.Get("In-Reply-To"), references)
	}
}

func TestSend_answersAreAddressedByAToken(t *testing.T) {
	token, err := link.ReplyToken([]byte("secret"), link.Reply{Number: number, Person: "P-0123456789", Issued: time.Unix(1_795_000_000, 0)})
	if err != nil {
		t.Fatal(err)
	}
	server := newServer(t, behaviour{})
	cfg := server.config()
	for _, replies := range []string{"support@holesalemart.example", ""} {
		cfg.Replies = replies
		l := sampleMail(ticket.MailReply)
		l.ReplyToken = token
		if err := newSender(t, cfg).Send(t.Context(), l); err != nil {
			t.Fatal(err)
		}
	}
	sent := server.all()
	if got, want := parse(t, sent[0].data).Header.Get("Reply-To"), "<support+"+token+"@holesalemart.example>"; got != want {
		t.Errorf("Reply-To %s, want %s", got, want)
	}
	if got := parse(t, sent[1].data).Header.Get("Reply-To"); got != "" {
		t.Errorf("Reply-To %s although answers are not read", got)
	}
	cfg.Replies = strings.Repeat("support", 3) + "@holesalemart.example"
	if _, err := mail.NewSender(cfg); err == nil {
		t.Error("an address without room for a token is accepted")
	}
}
