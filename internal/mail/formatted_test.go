package mail_test

import (
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/markup/markuptest"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestAttacks_areHarmlessInMails(t *testing.T) {
	r := newRenderer(t)
	for _, format := range desk.Formats() {
		for _, attack := range markuptest.Attacks() {
			data := sampleMail(ticket.MailReply)
			data.Body, data.Format = attack.Text, format
			m, err := r.Render(data)
			if err != nil {
				t.Fatal(err)
			}
			_, rest, found := strings.Cut(m.HTML, `border-left: 4px solid #8a8f98">`)
			message, _, ended := strings.Cut(rest, `<div class="desk-muted"`)
			if !found || !ended {
				t.Fatalf("%s: the mail has no message: %s", attack.Name, m.HTML)
			}
			for _, fault := range markuptest.Faults(message, "https://") {
				t.Errorf("%s as %s: %s", attack.Name, format, fault)
			}
			if !strings.Contains(m.Text, markuptest.Marker) || !strings.Contains(m.HTML, markuptest.Marker) {
				t.Errorf("%s as %s: the words are gone", attack.Name, format)
			}
		}
	}
}
