package inbound_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const anna = "Anna Agent <anna@staff.example>"

var authentic = []string{"Authentication-Results: border.example; dmarc=pass header.from=staff.example"}

// notices returns the emails that notify members of staff of quarantines, the oldest first.
func (o *office) notices() (all []account.Mail) {
	o.t.Helper()
	conn, err := pgx.Connect(o.t.Context(), o.dsn)
	if err != nil {
		o.t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(o.t.Context())) }()
	rows, _ := conn.Query(o.t.Context(), `SELECT n FROM deliveries WHERE kind = 'email-quarantined' ORDER BY n`)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	if err != nil {
		o.t.Fatal(err)
	}
	accounts := account.New(o.Accounts(), "https://help.desk.example")
	for _, id := range ids {
		m, status, err := accounts.LoadMail(o.t.Context(), id)
		if err != nil || status != desk.DeliveryOwed {
			o.t.Fatal(status, err)
		}
		all = append(all, m)
	}
	return all
}

func TestStaffNotice_anAgentWhoseEmailIsInQuarantineIsWrittenTo(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	open, closed := o.opened(), o.opened()
	o.send(o.agent, desk.Request{Number: closed, Verb: ticket.VerbClose})
	o.step(closed)
	for i, c := range []struct {
		letter
		reason, detail string
	}{
		{letter{to: o.token(closed, o.agent.ID, true), body: "It is found."}, desk.ReasonStaffClosed, "The email is from a member of staff, and the ticket is closed."},
		{letter{subject: "To the desk", body: "Hello?", headers: authentic}, desk.ReasonStaffNoCustomer, "forwards no email of a customer"},
		{letter{to: o.token(open, o.agent.ID, true), body: "It is found.\n=====\nhttps://help.desk.example/desk/tickets/x\n"}, desk.ReasonStaffQuotation, "quotes an email to staff"},
		{letter{to: o.token(open, o.agent.ID, true), body: "Forged?", headers: []string{"Authentication-Results: border.example; dmarc=fail header.from=staff.example"}}, desk.ReasonForged, "."},
	} {
		c.from, c.subject = anna, fmt.Sprint("Re: My parcel ", i)
		if r := o.process(c.letter); r.Status != desk.IncomingQuarantined || r.Reason != c.reason {
			t.Fatalf("%s: %+v", c.reason, r)
		}
		all := o.notices()
		if len(all) != i+1 {
			t.Fatalf("%s: %d notices", c.reason, len(all))
		}
		m := all[i]
		if m.To != (desk.Mailbox{Name: "Anna Agent", Address: "anna@staff.example"}) || m.Label != c.subject || !strings.Contains(m.Reason, c.detail) ||
			m.URL != fmt.Sprintf("https://help.desk.example/desk/mail/%d", o.processed.ID) {
			t.Errorf("%s: %+v", c.reason, m)
		}
	}
	// To the account's address, not to the one that the mail names.
	o.sql(`INSERT INTO person_addresses (address, person) VALUES ('anna@home.example', $1)`, o.agent.ID)
	o.process(letter{from: "Anna <anna@home.example>", to: o.token(closed, o.agent.ID, true), subject: "Re", body: "From home."})
	if all := o.notices(); len(all) != 5 || all[4].To.Address != "anna@staff.example" {
		t.Errorf("%+v", all)
	}
}

func TestStaffNotice_aCommandThatTheTicketRefusedIsReportedOnce(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	o.send(o.agent, desk.Request{Number: n, Verb: ticket.VerbClose})
	o.receive(anna, o.token(n, o.agent.ID, true), "It is found.")
	if r := o.reprocess(); r.Status != desk.IncomingAccepted || len(o.notices()) != 0 {
		t.Fatalf("%+v", r)
	}
	o.step(n)
	o.recheck(1)
	r := o.reprocess()
	if all := o.notices(); r.Status != desk.IncomingQuarantined || len(all) != 1 || all[0].Reason != r.Detail {
		t.Fatalf("%+v, %+v", r, all)
	}
	if err := o.ReleaseIncoming(t.Context(), o.agent.ID, o.quarantined()); err != nil {
		t.Fatal(err)
	}
	if r := o.reprocess(); r.Status != desk.IncomingQuarantined || len(o.notices()) != 1 {
		t.Errorf("quarantined once more: %+v, %d notices", r, len(o.notices()))
	}
}

// quarantined returns the ID of the mail in quarantine.
func (o *office) quarantined() int64 {
	o.t.Helper()
	page, _, err := o.IncomingMails(o.t.Context(), desk.IncomingFilter{Status: desk.IncomingQuarantined, Limit: 1})
	if err != nil || len(page) != 1 {
		o.t.Fatal(page, err)
	}
	return page[0].ID
}

// Anyone can write the address of an agent into From.
func TestStaffNotice_noOneElseIsWrittenTo(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	requester := o.record(n).Requester.ID
	if _, err := o.tickets.Send(t.Context(), o.agent, desk.Request{Number: n, Verb: ticket.VerbClose}); err != nil {
		t.Fatal(err)
	}
	o.step(n)
	ben := o.employ(ticket.RoleAgent, "Ben")
	revoked := o.token(n, ben.ID, true)
	o.sql(`UPDATE people SET links_since = clock_timestamp() + interval '2 seconds' WHERE id = $1`, ben.ID)
	gone := o.employ(ticket.RoleAgent, "Gus")
	goneTo := o.token(n, gone.ID, true)
	o.sql(`UPDATE people SET disabled_at = now() WHERE id = $1`, gone.ID)
	for name, l := range map[string]letter{
		"an agent without proof":          {from: anna, body: "Hello?"},
		"with a customer's token":         {from: anna, to: o.token(n, requester, false), body: "Hello?"},
		"with a colleague's":              {from: anna, to: o.token(n, o.employ(ticket.RoleAgent, "Cleo").ID, true), body: "Hello?"},
		"with one that was revoked":       {from: "Ben <ben@people.example>", to: revoked, body: "Hello?"},
		"of someone who left":             {from: "Gus <gus@people.example>", to: goneTo, body: "Hello?"},
		"that fails its domain's policy":  {from: anna, body: "Hello?", headers: []string{"Authentication-Results: border.example; dmarc=fail header.from=staff.example"}},
		"a customer":                      failing(),
		"a customer with an agent's mail": {from: "Sue Supplier <sue@supplier.example>", to: o.token(n, o.agent.ID, true), body: "Hello?"},
	} {
		l.subject = name
		if r := o.process(l); r.Status == desk.IncomingAccepted && name != "of someone who left" {
			t.Errorf("%s: %+v", name, r)
		}
		if all := o.notices(); len(all) != 0 {
			t.Fatalf("%s: %+v", name, all)
		}
	}
	// What staff believe when they release a mail proves nothing either.
	o.process(letter{from: anna, subject: "Hello", body: "Hello?"})
	if err := o.ReleaseIncoming(t.Context(), o.agent.ID, o.processed.ID); err != nil {
		t.Fatal(err)
	}
	if r := o.reprocess(); r.Status != desk.IncomingQuarantined || len(o.notices()) != 0 {
		t.Errorf("released: %+v, %+v", r, o.notices())
	}
}

func TestStaffNotice_whatCannotBeProcessedIsReportedToo(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	to := o.token(n, o.agent.ID, true)
	for i, process := range []func(context.Context, desk.IncomingMail) (desk.IncomingResult, error){
		func(context.Context, desk.IncomingMail) (desk.IncomingResult, error) { panic("a defect") },
		nil, // it has crashed often
	} {
		id := o.receive(anna, to, fmt.Sprint("It is found. ", i))
		if process == nil {
			o.sql(`UPDATE incoming_mails SET attempts = 20 WHERE id = $1`, id)
		}
		m := o.run(id, process)
		all := o.notices()
		if m.Status != desk.IncomingQuarantined || len(all) != i+1 || all[i].Incoming != id || all[i].Reason != m.Detail {
			t.Fatalf("%+v, %+v", m, all)
		}
	}
	id := o.receive(anna, "support@desk.example", "Without proof.")
	if m := o.run(id, func(context.Context, desk.IncomingMail) (desk.IncomingResult, error) { panic("a defect") }); m.Status != desk.IncomingQuarantined || len(o.notices()) != 2 {
		t.Errorf("%+v, %d notices", m, len(o.notices()))
	}
}

func TestStaffNotice_anAgentIsSentFiveAnHour(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	o.send(o.agent, desk.Request{Number: n, Verb: ticket.VerbClose})
	o.step(n)
	to := o.token(n, o.agent.ID, true)
	send := func(i int) {
		id := o.receive(anna, to, fmt.Sprint("It is found. ", i))
		if m := o.run(id, o.mails.Process); m.Status != desk.IncomingQuarantined {
			t.Fatalf("%+v", m)
		}
	}
	for i := range 7 {
		send(i)
	}
	if got := len(o.notices()); got != 5 {
		t.Errorf("%d notices", got)
	}
	o.sql(`UPDATE deliveries SET owed_at = owed_at - interval '61 minutes' WHERE kind = 'email-quarantined'`)
	send(8)
	if got := len(o.notices()); got != 6 {
		t.Errorf("%d notices after an hour", got)
	}
}
