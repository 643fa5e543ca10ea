package panel_test

import (
	"testing"

	"github.com/holesalemart/supportdesk/internal/browsertest"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// TestEscalation_typedReasonIsNotLost to what happens meanwhile: neither to a live update, nor to another command, nor to
// another person's acknowledgement.
func TestEscalation_typedReasonIsNotLost(t *testing.T) {
	browsertest.Require(t)
	o := newFixture(t)
	n := o.escalatedTicket()
	p, g := o.window("sam")
	openTicket(p, n)
	p.Press("n")
	p.Type("A note.")
	p.FillIn("#ack-reason", "I phone her.")
	p.ClickOn("#handover > summary")
	p.FillIn("#handover-reason", "Bert is ill.")
	p.ClickOn("#conversation")
	o.ask("anna", desk.Request{Number: n, Verb: ticket.VerbNote, Body: "Between us."})
	p.SeeOn("#conversation", "Between us.")
	const both = `document.querySelector("#ack-reason").value === "I phone her." && document.querySelector("#handover-reason").value === "Bert is ill."`
	p.Until("an update leaves them alone", both)
	p.Settle()
	p.ClickOn("#take")
	p.SeeOn("#said", "The ticket is assigned to you.")
	p.Settle()
	if held := browsertest.Value[int](p, `document.querySelectorAll("#ack-reason").length`); held == 1 {
		p.Until("another command leaves them alone", both)
	}
	m := o.escalatedTicket()
	openTicket(p, m)
	p.Press("n")
	p.Type("A note.")
	p.Press("Escape")
	_, free := g.delayResponses(isRefetch)
	t.Cleanup(free)
	o.ask("bert", desk.Request{Number: m, Verb: ticket.VerbAcknowledge})
	p.FillIn("#ack-reason", "I phone her.")
	p.Press("Enter")
	p.SeeOn("#body-note-error", "no escalation to acknowledge")
	p.Until("the reason is a note", `document.querySelector("#body-note").value === "I phone her.\n\nA note."`)
}
