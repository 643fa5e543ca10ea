package store_test

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func (d *fixture) mailData(n ticket.Number, mail int) desk.MailData {
	d.t.Helper()
	l, status, err := d.mails.LoadMail(d.t.Context(), n, mail)
	if err != nil || status != desk.DeliveryOwed || l.N != mail || l.Number != n || l.Policy == nil || l.Subject != submission().Subject {
		d.t.Fatalf("mail %d: %+v, %s, %v", mail, l, status, err)
	}
	return l
}

func TestMailData_showsTheTicketAsItsEventLeftIt(t *testing.T) {
	d := openUnder(t, quick)
	a := d.submit(d.customer)
	d.step(ticket.StepRequest{Number: a.Number, Command: 1})
	d.do(d.agent, desk.Request{Number: a.Number, Verb: ticket.VerbRequestInformation, Body: "Which one?"})
	d.do(d.customer, desk.Request{Number: a.Number, Verb: ticket.VerbCustomerReply, Body: "The red one."})
	d.do(d.second, desk.Request{Number: a.Number, Verb: ticket.VerbResolve, Body: "Sent again."})

	receipt := d.mailData(a.Number, 1)
	if receipt.Kind != ticket.MailReceipt || receipt.To != (desk.Mailbox{Name: d.customer.Name, Address: d.customer.Address}) ||
		receipt.Status != ticket.StatusNew || receipt.Assignee != "" || receipt.Author != d.customer.Name || len(receipt.Thread) != 0 || receipt.MAC == "" ||
		receipt.FirstResponseDue != a.At.Add(time.Hour) || receipt.ResolutionDue != a.At.Add(4*time.Hour) {
		t.Errorf("receipt %+v", receipt)
	}
	request := d.mailData(a.Number, 2)
	if request.Kind != ticket.MailInformationRequest || request.Body != "Which one?" || len(request.Thread) != 1 || request.Thread[0].N != 1 || request.Thread[0].MAC != receipt.MAC ||
		request.Author != d.agent.Name || request.Assignee != d.agent.Name || request.Status != ticket.StatusWaiting ||
		!request.FirstResponseDue.IsZero() || !request.ResolutionDue.IsZero() || request.Silence != 3*time.Hour {
		t.Errorf("request for information %+v", request)
	}
	reply := d.mailData(a.Number, 3)
	if reply.Kind != ticket.MailCustomerReply || reply.To.Address != d.agent.Address || reply.Body != "The red one." ||
		len(reply.Thread) != 0 || reply.ResolutionDue.IsZero() { // the agent has none of the customer's mails
		t.Errorf("customer's reply %+v", reply)
	}
	resolution := d.mailData(a.Number, 4)
	if resolution.Kind != ticket.MailResolution || resolution.Cause != ticket.CauseAgent || len(resolution.Thread) != 2 || resolution.Thread[1].N != 2 ||
		resolution.Silence != 2*time.Hour || resolution.Author != d.second.Name {
		t.Errorf("resolution %+v", resolution)
	}
	_, _, err := d.mails.LoadMail(t.Context(), a.Number, 5)
	wantKind(t, err, fault.NotFound)
}

func TestMailData_saysThatItsRecipientWasDisabledSince(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	if d.mailData(n, 1).Disabled {
		t.Error("the customer is disabled from the start")
	}
	if err := d.DisablePerson(t.Context(), d.customer.ID); err != nil {
		t.Fatal(err)
	}
	if !d.mailData(n, 1).Disabled {
		t.Error("the mail would go to a disabled person")
	}
}

func TestMailData_ofADeadline(t *testing.T) {
	d := openUnder(t, quick)
	a := d.submit(d.customer)
	start := a.At.Add(-24 * time.Hour)
	d.redate(a, start)
	d.step(ticket.StepRequest{Number: a.Number, Command: 1})
	d.step(ticket.StepRequest{Number: a.Number, Due: start.Add(time.Hour)})
	reminder := d.mailData(a.Number, 2)
	if reminder.Kind != ticket.MailReminder || reminder.To.Address != d.supervisor.Address || reminder.Clock != policy.FirstResponse ||
		reminder.At != start.Add(30*time.Minute) || reminder.DueAt != start.Add(time.Hour) || reminder.Author != "" {
		t.Errorf("reminder %+v", reminder)
	}
	escalation := d.mailData(a.Number, 3)
	if escalation.Kind != ticket.MailEscalation || escalation.EscalationStep != 1 || escalation.DueAt != start.Add(time.Hour) ||
		escalation.Priority != policy.PriorityHigh {
		t.Errorf("escalation %+v", escalation)
	}
}

func TestMails_areSettledOnce(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	status := func() desk.DeliveryStatus {
		t.Helper()
		_, p, err := d.mails.LoadMail(t.Context(), n, 1)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	for range 2 {
		if err := d.Sent(t.Context(), n, 1); err != nil || status() != desk.DeliverySent {
			t.Errorf("%v, %s", err, status())
		}
	}
	if owed := d.step(ticket.StepRequest{Number: n, Command: 1}).Owed; len(owed) != 0 {
		t.Errorf("owed %v", owed)
	}
	if err := d.Bounced(t.Context(), n, 1, "550 \x00\xff no such user"); err != nil || status() != desk.DeliveryBounced {
		t.Errorf("%v, %s", err, status())
	}
	if err := d.Sent(t.Context(), n, 1); err != nil || status() != desk.DeliveryBounced {
		t.Errorf("%v, %s: what bounced was not sent", err, status())
	}
	if reason := one[string](d, `SELECT reason FROM deliveries WHERE ticket = $1`, n); reason != "550  no such user" {
		t.Errorf("reason %q", reason)
	}
	wantKind(t, d.Sent(t.Context(), n, 2), fault.NotFound)
	wantKind(t, d.Bounced(t.Context(), n, 2, ""), fault.NotFound)
}

func TestMails_recordWhenTheyWereFirstDeferred(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	first, err := d.Deferred(t.Context(), n, 1)
	if age := time.Since(first); err != nil || age.Abs() > time.Minute {
		t.Fatalf("deferred at %s: %v", first, err)
	}
	if again, err := d.Deferred(t.Context(), n, 1); err != nil || !again.Equal(first) {
		t.Errorf("deferred first at %s, and later said to be at %s: %v", first, again, err)
	}
	if _, status, err := d.mails.LoadMail(t.Context(), n, 1); err != nil || status != desk.DeliveryOwed {
		t.Errorf("%s, %v: what is deferred is pending", status, err)
	}
	_, err = d.Deferred(t.Context(), n, 2)
	wantKind(t, err, fault.NotFound)
}

func TestMails_areClaimedByOneTryAtATime(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	claim := func(try string, want bool) {
		t.Helper()
		if ours, err := d.Claim(t.Context(), n, 1, try, time.Minute); err != nil || ours != want {
			t.Errorf("claimed by %s: %t, %v, want %t", try, ours, err, want)
		}
	}
	claim("first", true)
	claim("first", true) // renewed
	claim("second", false)
	if err := d.Release(t.Context(), n, 1, "second"); err != nil {
		t.Fatal(err)
	}
	claim("second", false) // what was not its own is not released
	if err := d.Release(t.Context(), n, 1, "first"); err != nil {
		t.Fatal(err)
	}
	claim("second", true)
	d.sql(`UPDATE deliveries SET claimed_until = clock_timestamp() - interval '1 second' WHERE queue = 'ticket' AND claimed_by IS NOT NULL`)
	claim("third", true)
	if err := d.Sent(t.Context(), n, 1); err != nil {
		t.Fatal(err)
	}
	claim("fourth", true) // nothing is left to keep it from
	_, err := d.Claim(t.Context(), n, 2, "first", time.Minute)
	wantKind(t, err, fault.NotFound)
}

func TestMails_areClaimedByOneOfManyAtOnce(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	var ours atomic.Int32
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			got, err := d.Claim(t.Context(), n, 1, strconv.Itoa(i), time.Minute)
			if err != nil {
				t.Error(err)
			}
			if got {
				ours.Add(1)
			}
		})
	}
	all.Wait()
	if ours.Load() != 1 {
		t.Errorf("claimed by %d tries", ours.Load())
	}
}
