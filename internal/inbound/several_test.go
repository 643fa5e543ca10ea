package inbound_test

import (
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Nothing says which of several tickets a mail is about, and none of them may miss it silently.
func TestSeveralTickets_aMailToTheirAddressesIsForStaffToDecide(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	first, second := o.opened(), o.opened()
	requester := o.record(first).Requester.ID
	to := []string{o.token(first, requester, false), o.token(second, requester, false)}
	raw := func(body string) string {
		return "From: " + carla + "\r\nTo: " + strings.Join(to, ", ") + "\r\nSubject: Re\r\n\r\n" + body + "\r\n"
	}
	r := o.processRaw(raw("About both."), "carla@client.example", to...)
	if r.Status != desk.IncomingQuarantined || r.Reason != desk.ReasonSeveral || r.Ticket != first || !strings.Contains(r.Detail, string(first)) || !strings.Contains(r.Detail, string(second)) {
		t.Fatalf("%+v", r)
	}
	o.expect("the first", o.said(first), []string{late})
	if err := o.review().Release(t.Context(), o.agent, o.processed.ID); err != nil {
		t.Fatal(err)
	}
	if r := o.reprocess(); r.Status != desk.IncomingAccepted || r.Ticket != first {
		t.Fatalf("released: %+v", r)
	}
	o.step(first)
	o.expect("the first", o.said(first), []string{late, "customer-replied by Carla Customer: About both."})
	o.expect("the second", o.said(second), []string{late})

	colleague := o.joined(first) // who has an address of their own for the same ticket
	to = []string{o.token(first, requester, false), o.token(first, colleague.ID, false)}
	if r := o.processRaw(raw("About one."), "carla@client.example", to...); r.Status != desk.IncomingAccepted || r.Ticket != first {
		t.Errorf("two addresses of one ticket: %+v", r)
	}
	to = []string{o.token(second, requester, false), strings.Replace(o.token(first, requester, false), "@desk", "0@desk", 1)}
	if r := o.processRaw(raw("About one that is proven."), "carla@client.example", to...); r.Status != desk.IncomingAccepted || r.Ticket != second {
		t.Errorf("an address that is not valid: %+v", r)
	}
	agent := []string{o.token(first, o.agent.ID, false), o.token(second, o.agent.ID, false)}
	if r := o.processRaw("From: "+anna+"\r\nTo: "+strings.Join(agent, ", ")+"\r\nSubject: Re\r\n\r\nBoth.\r\n", "anna@staff.example", agent...); r.Reason != desk.ReasonSeveral || len(o.notices()) != 1 {
		t.Errorf("an agent: %+v, %d notices", r, len(o.notices()))
	}
}

// forwarded is a mail of Anna that forwards one of Gus, within its text or attached with a file.
func forwarded(attachedToo bool) string {
	head := "Authentication-Results: border.example; dmarc=pass header.from=staff.example\r\nReceived: from client.example by border.example; Mon, 23 Nov 2026 10:00:00 +0000\r\n" +
		"From: " + anna + "\r\nTo: support@desk.example\r\nSubject: Fwd: Broken\r\nMIME-Version: 1.0\r\n"
	if !attachedToo {
		return head + "\r\nPRIVATE\r\n\r\n---------- Forwarded message ---------\r\nFrom: Gus Guest <gus@guest.example>\r\nDate: Mon, 23 Nov 2026 at 09:00\r\n" +
			"Subject: Broken\r\nTo: <anna@staff.example>\r\n\r\nThe lamp is broken.\r\n"
	}
	return head + "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\nContent-Type: text/html\r\n\r\n<p>PRIVATE, <b>please</b></p>\r\n--a\r\nContent-Type: message/rfc822\r\n\r\n" +
		"From: Gus Guest <gus@guest.example>\r\nSubject: Broken\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: text/html\r\n\r\n<p>The lamp is <b>broken</b>.</p>\r\n--b\r\nContent-Type: text/csv; name=lamp.csv\r\nContent-Disposition: attachment\r\n\r\na,b\r\n" +
		"--b\r\nContent-Type: image/png; name=void.png\r\nContent-Disposition: attachment\r\n\r\n\r\n--b--\r\n--a--\r\n"
}

func TestForward_anAttachedMailIsTheCustomersWithItsFilesAndTheNoteIsNot(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	r := o.processRaw(forwarded(true), "anna@staff.example", "support@desk.example")
	if r.Status != desk.IncomingAccepted {
		t.Fatalf("%+v", r)
	}
	rec := o.record(r.Ticket)
	if rec.Subject != "Broken" || rec.Requester.Name != "Gus Guest" {
		t.Errorf("%q by %s", rec.Subject, rec.Requester.Name)
	}
	gus, err := o.PersonByAddress(t.Context(), "gus@guest.example")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := o.tickets.Timeline(t.Context(), gus, r.Ticket)
	if err != nil || len(entries) != 1 {
		t.Fatal(entries, err)
	}
	e := entries[0]
	if e.Body != "The lamp is broken." || !strings.Contains(e.HTML, "<b>broken</b>") && !strings.Contains(e.HTML, "<strong>broken</strong>") || len(e.Files) != 1 || e.Files[0].Name != "lamp.csv" {
		t.Errorf("the customer's: %q, HTML %q, files %+v", e.Body, e.HTML, e.Files)
	}
	if len(e.LeftOut) != 1 || e.LeftOut[0].String() != "void.png: empty" {
		t.Errorf("left out: %q", e.LeftOut)
	}
	all, err := o.Timeline(t.Context(), o.agent, r.Ticket)
	if err != nil || len(all) != 2 {
		t.Fatal(all, err)
	}
	note := all[1]
	if note.Kind != ticket.EventNoted || !note.Internal || note.Body != "PRIVATE, please" || strings.Contains(note.HTML, "lamp") || !strings.Contains(note.HTML, "please") {
		t.Errorf("the note: %s %q, HTML %q", note.Kind, note.Body, note.HTML)
	}
	if len(note.Files) != 1 || len(note.LeftOut) != 0 {
		t.Errorf("the note's files: %+v, left out %q", note.Files, note.LeftOut)
	}
}

// An attempt may die after the ticket was opened and before the note was added.
func TestForward_anAttemptThatDiedBetweenItsCommandsIsCompleted(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	for _, attachedToo := range []bool{false, true} {
		raw := forwarded(attachedToo)
		if _, err := o.receiver.Receive(t.Context(), desk.Envelope{Source: desk.SourceLMTP, ReturnPath: "anna@staff.example", Recipients: []string{"support@desk.example"}}, strings.NewReader(raw)); err != nil {
			t.Fatal(err)
		}
		r := o.attempt()
		o.sql(`DELETE FROM undelivered WHERE ticket = $1 AND seq = 2`, r.Ticket)
		o.sql(`WITH gone AS (DELETE FROM commands WHERE ticket = $1 AND seq = 2 RETURNING message), free AS (UPDATE files SET message = NULL, position = NULL WHERE message IN (SELECT message FROM gone))
			DELETE FROM messages WHERE id IN (SELECT message FROM gone)`, r.Ticket)
		o.sql(`UPDATE tickets SET last_command = 1 WHERE number = $1`, r.Ticket)
		again := o.reprocess()
		o.step(r.Ticket)
		said := o.said(r.Ticket)
		if again.Status != desk.IncomingAccepted || again.Ticket != r.Ticket || len(said) != 2 || !strings.HasPrefix(said[1], "noted by Anna Agent: PRIVATE") {
			t.Errorf("attached %t: %+v, %q", attachedToo, again, said)
		}
	}
}

// The ticket may be closed before the note arrives there, or before its step.
func TestForward_aNoteThatIsRefusedIsInQuarantine(t *testing.T) {
	t.Parallel()
	for name, closes := range map[string]func(*office, ticket.Number){
		"before it is accepted": func(o *office, n ticket.Number) {
			o.sql(`DELETE FROM undelivered WHERE ticket = $1`, n)
			o.sql(`WITH gone AS (DELETE FROM commands WHERE ticket = $1 AND seq = 2 RETURNING message) DELETE FROM messages WHERE id IN (SELECT message FROM gone)`, n)
			o.sql(`UPDATE tickets SET last_command = 1 WHERE number = $1`, n)
			o.send(o.agent, desk.Request{Number: n, Verb: ticket.VerbClose})
			o.step(n)
		},
		"before its step": func(o *office, n ticket.Number) {
			o.sql(`UPDATE commands SET seq = 3 WHERE ticket = $1 AND seq = 2`, n)
			o.sql(`UPDATE undelivered SET seq = 3 WHERE ticket = $1 AND seq = 2`, n)
			o.sql(`UPDATE tickets SET last_command = 1 WHERE number = $1`, n)
			o.send(o.agent, desk.Request{Number: n, Verb: ticket.VerbClose})
			o.sql(`UPDATE tickets SET last_command = 3 WHERE number = $1`, n)
			o.step(n)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := openOffice(t)
			if _, err := o.receiver.Receive(t.Context(), desk.Envelope{Source: desk.SourceLMTP, ReturnPath: "anna@staff.example", Recipients: []string{"support@desk.example"}}, strings.NewReader(forwarded(false))); err != nil {
				t.Fatal(err)
			}
			n := o.attempt().Ticket
			closes(o, n)
			r := o.reprocess()
			if r.Status != desk.IncomingQuarantined || r.Reason != desk.ReasonStaffNote || r.Ticket != n || len(o.notices()) != 1 {
				t.Fatalf("%+v, %d notices", r, len(o.notices()))
			}
			id := o.quarantined()
			if err := o.review().Release(t.Context(), o.agent, id); err == nil {
				t.Error("it is released")
			}
			if err := o.ReleaseIncoming(t.Context(), o.agent.ID, id); err != nil {
				t.Fatal(err)
			}
			if again := o.reprocess(); again.Reason != desk.ReasonStaffNote || again.Ticket != n {
				t.Errorf("released, it becomes %+v", again)
			}
			if err := o.review().Delete(t.Context(), o.employ(ticket.RoleSupervisor, "Sue"), id); err == nil {
				t.Error("the original of a ticket's message is deleted")
			}
			o.expect("timeline", o.said(n)[:1], []string{"submitted by Anna Agent: The lamp is broken."})
		})
	}
}

func TestForward_aMailOfTheDeskIsNoCustomers(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	for _, attachedToo := range []bool{false, true} {
		raw := strings.ReplaceAll(forwarded(attachedToo), "gus@guest.example", "Support@Desk.example")
		if r := o.processRaw(raw, "anna@staff.example", "support@desk.example"); r.Status != desk.IncomingQuarantined || r.Reason != desk.ReasonStaffNoCustomer {
			t.Errorf("attached %t: %+v", attachedToo, r)
		}
	}
}
