package store_test

import (
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestMessages_keepTheirFormat(t *testing.T) {
	d := open(t)
	text, formatted := submission(), submission()
	formatted.Format = desk.FormatMarkdown
	for sub, want := range map[*desk.Submission]desk.Format{&text: desk.FormatText, &formatted: desk.FormatMarkdown} {
		accepted, err := d.Submit(t.Context(), d.customer, *sub)
		if err != nil {
			t.Fatal(err)
		}
		d.step(ticket.StepRequest{Number: accepted.Number, Command: 1})
		d.ask(d.customer, desk.Request{Number: accepted.Number, Verb: ticket.VerbCustomerReply, Body: "b", Format: sub.Format})
		undecided, err := d.Undecided(t.Context(), d.customer, accepted.Number)
		if err != nil || len(undecided) != 1 || undecided[0].Format != want {
			t.Errorf("undecided: %+v, %v; want %s", undecided, err, want)
		}
		if got := d.timeline(accepted.Number)[0].Format; got != want {
			t.Errorf("on the timeline: %s, want %s", got, want)
		}
		mail, err := d.Mail(t.Context(), accepted.Number, 1)
		if err != nil || mail.Data.Format != want {
			t.Errorf("in a mail: %s, %v; want %s", mail.Data.Format, err, want)
		}
	}
}
