package inbound_test

import (
	"fmt"
	"mime"
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
)

// Characters that change the order of the text around them stay neither in a subject nor in a name, also of a mail that is forwarded; marks
// and joiners that a script needs do.
func TestIncomingMails_subjectsAndNamesLeaveTheirNeighboursAlone(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	for i, tt := range []struct{ subject, name, wantSubject, wantName string }{
		{"Order \u202e4711\u202c \u2066now\u2069", "\u202eannA \u200bCarl", "Order 4711 now", "annA Carl"},
		{"100\u200f-200", "Ann\u200e", "100-200", "Ann"},
		{"הזמנה 5\u200f (דחוף)", "דנה\u200f", "הזמנה 5\u200f (דחוף)", "דנה"},
		{"علی\u200cرضا", "علی\u200cرضا", "علی\u200cرضا", "علی\u200cرضا"},
	} {
		address := fmt.Sprintf("person%d@names.example", i)
		r := o.process(letter{from: mime.BEncoding.Encode("utf-8", tt.name) + " <" + address + ">", subject: mime.BEncoding.Encode("utf-8", tt.subject), body: "Hello"})
		if r.Status != desk.IncomingAccepted {
			t.Errorf("%+q: %+v", tt.subject, r)
			continue
		}
		record := o.record(r.Ticket)
		stored, err := o.Incoming(t.Context(), o.processed.ID)
		if err != nil || record.Subject != tt.wantSubject || stored.Subject != tt.wantSubject || record.Requester.Name != tt.wantName {
			t.Errorf("subject %+q and %+q, name %+q, %v; want %+q, %+q", record.Subject, stored.Subject, record.Requester.Name, err, tt.wantSubject, tt.wantName)
		}
	}
	forwarded := o.process(letter{from: "Anna Agent <anna@staff.example>", subject: "Fwd: x", headers: []string{"Authentication-Results: border.example; dmarc=pass header.from=staff.example"},
		body: "---------- Forwarded message ---------\nFrom: Cora \u202ermotsuC <cora@client.example>\nSubject: Late \u202elecrap\tnow\nTo: x@y.example\n\nHello\n"})
	if r := o.record(forwarded.Ticket); r.Subject != "Late lecrap now" || r.Requester.Name != "Cora rmotsuC" {
		t.Errorf("%+q of %+q", r.Subject, r.Requester.Name)
	}
}
