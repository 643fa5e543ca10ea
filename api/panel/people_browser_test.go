package panel_test

import (
	"testing"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// TestPeople_inABrowser adds someone from an open page, with names that are long or foreign, and checks that the composer says
// at once to whom a reply goes.
func TestPeople_inABrowser(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "Where is my parcel?", "It was due on Monday.")
	o.whom(ticket.VerbAddParticipant, n, "wolfeschlegelsteinhausenbergerdorff.procurement.department@a-very-long-domain-name.example", "Hubert Blaine Wolfeschlegelsteinhausenbergerdorff the Elder of Philadelphia")
	o.whom(ticket.VerbAddParticipant, n, "noura@example.com", "نورة بنت عبد الرحمن")
	p, _ := o.window("anna")
	p.Goto("/desk/tickets/" + string(n))
	p.See("Cc:", "noura@example.com")
	p.ClickOn("#participants-form summary")
	p.FillIn("#participants-address", "taro@example.com")
	p.FillIn("#participants-name", "山田 太郎")
	p.ClickOn("#participants-form button")
	p.SeeOn("#composer-recipients", "taro@example.com")
	p.SeeOn("#ticket-side", "山田 太郎")
	p.CheckReadable("panel-people")
	p.Goto("/desk/new")
	p.CheckReadable("panel-new-ticket")
}
