package inbound_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const col = "Col League <col@client.example>"

// joined opens a ticket of Carla in which Col takes part, and returns Col.
func (o *office) joined(n ticket.Number) desk.Person {
	o.t.Helper()
	o.process(letter{from: col, to: o.token(n, o.record(n).Requester.ID, false), subject: "Re", body: "I packed it."})
	p, err := o.PersonByAddress(o.t.Context(), "col@client.example")
	if err != nil {
		o.t.Fatal(err)
	}
	return p
}

func TestProof_aMessageIDIsOnlyForItsRecipient(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	o.joined(n)
	o.send(o.agent, desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: "An answer."})
	o.step(n)
	for mailN := 1; ; mailN++ {
		m, err := o.Mail(t.Context(), n, mailN)
		if err != nil {
			break
		}
		if m.Data.To.Name == "Col League" && slices.ContainsFunc(m.Data.Thread, func(e desk.ThreadMail) bool { return e.N == 1 && e.ID == "" }) {
			t.Error("a mail to the participant has the Message-ID of the requester's receipt")
		}
	}
	if r := o.process(letter{from: "Bob <bob2@client.example>", subject: "Re", body: "Me again.", headers: []string{"In-Reply-To: " + o.messageID(n, 1, true)}}); r.Ticket == n {
		t.Error("the Message-ID of the requester's mail let someone else in")
	}
}

func TestProof_anAddressForRepliesEndsWithThePersonsLinks(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	to := o.token(n, o.record(n).Requester.ID, false)
	o.sql(`UPDATE people SET links_since = clock_timestamp() + interval '2 seconds' WHERE id = $1`, o.record(n).Requester.ID)
	for _, from := range []string{carla, "Old <old@client.example>"} {
		if r := o.process(letter{from: from, to: to, subject: "Re", body: "An answer."}); r.Status != desk.IncomingAccepted || r.Ticket == n {
			t.Errorf("%s: %+v", from, r)
		}
	}
	if r := o.process(letter{from: carla, to: o.token(n, o.record(n).Requester.ID, false), subject: "Re", body: "A new address."}); r.Ticket != n {
		t.Errorf("%+v", r)
	}
}

func TestProof_anAgentsMailNeedsAProofOfTheirs(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	const anna = "Anna Agent <anna@staff.example>"
	requester := o.record(n).Requester.ID
	if r := o.process(letter{from: anna, to: o.token(n, requester, true), subject: "Re", body: "She is nice."}); r.Reason != desk.ReasonStaffOther {
		t.Errorf("to the requester's address for public answers: %+v", r)
	}
	if r := o.process(letter{from: anna, to: o.token(n, requester, false), subject: "Re", body: "She is nice."}); r.Reason != desk.ReasonStaffUnproven {
		t.Errorf("to the requester's address: %+v", r)
	}
	if err := o.review().Release(t.Context(), o.agent, o.processed.ID); err != nil {
		t.Fatal(err)
	}
	if r := o.reprocess(); r.Ticket != n || r.Status != desk.IncomingAccepted {
		t.Errorf("released: %+v", r)
	}
	o.step(n)
	o.expect("the ticket", o.said(n), []string{"submitted by Carla Customer: It is late.", "noted by Anna Agent: She is nice."})
}

func TestProof_anAnswerToAMessageForOneAloneIsForStaffAlone(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	colleague := o.joined(n)
	o.send(o.agent, desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: "Your PIN?", Alone: true})
	o.step(n)
	last := 0
	for mailN := 1; ; mailN++ {
		m, err := o.Mail(t.Context(), n, mailN)
		if err != nil {
			break
		}
		if m.Data.Body == "Your PIN?" {
			last = mailN
		}
	}
	if r := o.process(letter{from: carla, subject: "Re", body: "My PIN is 1234.", headers: []string{"In-Reply-To: " + o.messageID(n, last, true)}}); r.Ticket != n {
		t.Fatalf("%+v", r)
	}
	o.send(o.agent, desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: "Thank you."})
	o.step(n)
	entries, err := o.tickets.Timeline(t.Context(), colleague, n)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.Contains(e.Body, "PIN") {
			t.Errorf("the participant reads %q", e.Body)
		}
	}
	for mailN := 1; ; mailN++ {
		m, err := o.Mail(t.Context(), n, mailN)
		if err != nil {
			break
		}
		if m.Person == colleague.ID && (strings.Contains(m.Data.Body, "PIN") || strings.Contains(m.Data.Quoted.Body, "PIN")) {
			t.Errorf("the participant is sent %q, quoting %q", m.Data.Body, m.Data.Quoted.Body)
		}
	}
	found, _, err := o.List(t.Context(), desk.Filter{Viewer: colleague, Text: "1234", Limit: 10})
	if err != nil || len(found) != 0 {
		t.Errorf("the participant finds it: %d, %v", len(found), err)
	}
	o.expect("staff's timeline", o.said(n)[4:5], []string{"customer-replied by Carla Customer: My PIN is 1234."})
}

func TestForward_whatTheAgentWroteIsANote(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	authentic := []string{"Authentication-Results: border.example; dmarc=pass header.from=staff.example"}
	r := o.process(letter{
		from: "Anna Agent <anna@staff.example>", subject: "Fwd: Broken", headers: authentic,
		body: "PRIVATECOMMENT\n\n---------- Forwarded message ---------\nFrom: Gus Guest <gus@guest.example>\nDate: Mon, 23 Nov 2026 at 09:00\nSubject: Broken\nTo: <anna@staff.example>\n\nThe lamp is broken.\n",
	})
	if r.Status != desk.IncomingAccepted {
		t.Fatalf("%+v", r)
	}
	o.expect("timeline", o.said(r.Ticket), []string{"submitted by Anna Agent: The lamp is broken.", "noted by Anna Agent: PRIVATECOMMENT"})
	if rec := o.record(r.Ticket); rec.Subject != "Broken" || rec.Requester.Name != "Gus Guest" {
		t.Errorf("%q by %s", rec.Subject, rec.Requester.Name)
	}
}

func TestClosed_furtherMailsGoToTheOpenFollowUp(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	o.send(o.agent, desk.Request{Number: n, Verb: ticket.VerbClose})
	o.step(n)
	to := o.token(n, o.record(n).Requester.ID, false)
	first := o.process(letter{from: carla, to: to, subject: "Re: [" + string(n) + "] My parcel", body: "Again."})
	second := o.process(letter{from: carla, to: to, subject: "Re: [" + string(n) + "] My parcel", body: "And again."})
	if first.Ticket == n || second.Ticket != first.Ticket {
		t.Errorf("%+v, then %+v", first, second)
	}
	if s := o.record(first.Ticket).Subject; s != "My parcel" {
		t.Errorf("the subject is %q", s)
	}
}

// An automatic answer is recorded with the ticket that its sender has an email of, and with no other.
func TestAutoReply_isRecordedWithTheTicketOfItsSender(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	requester := o.record(n).Requester.ID
	away := []string{"Auto-Submitted: auto-replied"}
	for name, c := range map[string]struct {
		letter
		want ticket.Number
	}{
		"the requester's":                  {letter{from: carla, to: o.token(n, requester, false)}, n},
		"by the Message-ID":                {letter{from: carla, headers: []string{"In-Reply-To: " + o.messageID(n, 1, true)}}, n},
		"an agent's":                       {letter{from: anna, to: o.token(n, o.agent.ID, true)}, n},
		"someone else's, by the address":   {letter{from: col, to: o.token(n, requester, false)}, ""},
		"someone else's, by a Message-ID":  {letter{from: col, headers: []string{"In-Reply-To: " + o.messageID(n, 1, true)}}, ""},
		"an agent's, by another's address": {letter{from: anna, to: o.token(n, requester, false)}, ""},
	} {
		c.subject, c.body, c.headers = "Out of office", "Back on Monday.", append(c.headers, away...)
		if r := o.process(c.letter); r.Status != desk.IncomingRecorded || r.Reason != "auto-reply" || r.Ticket != c.want || r.Author != "" {
			t.Errorf("%s: %+v", name, r)
		}
	}
	o.expect("timeline", o.said(n), []string{late})
}

// What an agent answers to an automatic answer of a customer, which staff have released, is an answer like any other.
func TestAutoReply_anAgentsAnswerToOneReachesTheRequester(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	o.process(letter{from: carla, to: o.token(n, o.record(n).Requester.ID, false), subject: "Automatic reply", body: "I moved.", headers: []string{"Auto-Submitted: auto-replied"}})
	if err := o.review().Release(t.Context(), o.agent, o.processed.ID); err != nil {
		t.Fatal(err)
	}
	o.reprocess()
	o.step(n)
	for _, subject := range []string{"Re: Automatic reply", "Re: Automatic reply: Re: [" + string(n) + "] My parcel", "AW: Out of office"} {
		before := len(o.said(n))
		r := o.process(letter{from: anna, to: o.token(n, o.agent.ID, true), subject: subject, body: "Where to? " + subject, headers: []string{"In-Reply-To: <auto@client.example>"}})
		if said := o.said(n); r.Status != desk.IncomingAccepted || len(said) != before+1 || said[before] != "agent-replied by Anna Agent: Where to? "+subject {
			t.Errorf("%s: %+v, %q", subject, r, said)
		}
	}
}

// A bounce names the recipients whom a mail did not reach. One that names someone else says nothing about the mail.
func TestBounce_aboutAnotherRecipientChangesNothing(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	for i, to := range []string{"other@client.example", "carla@client.example.evil.example"} {
		if r := o.processRaw(bounceOf(o.messageID(n, 1, true), to), "", "support@desk.example"); r.Status != desk.IncomingRecorded || r.Ticket != "" {
			t.Errorf("%d: %+v", i, r)
		}
	}
	o.expect("timeline", o.said(n), []string{late})
	if r := o.processRaw(bounceOf(o.messageID(n, 1, true), "CARLA@client.example"), "", "support@desk.example"); r.Ticket != n || len(o.said(n)) != 2 {
		t.Errorf("the recipient's: %+v, %q", r, o.said(n))
	}
}

// A token or Message-ID of someone else lets a person without an account join. In the name of a member, or of someone with an account,
// anyone who has that email may have written, and in many names they would have the desk send emails to strangers.
func TestProof_someoneElsesLetsNoOneWriteInAnothersName(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	carla, col := o.record(n).Requester.ID, o.joined(n)
	dora, err := o.AddPerson(t.Context(), desk.Person{Role: ticket.RoleCustomer, Name: "Dora Account", Address: "dora@client.example"})
	if err != nil {
		t.Fatal(err)
	}
	confirmed := []string{"Authentication-Results: border.example; dmarc=pass header.from=client.example"}
	for name, c := range map[string]struct {
		from, to string
		headers  []string
		want     desk.IncomingStatus
	}{
		"a participant as the requester": {from: "Carla Customer <carla@client.example>", to: o.token(n, col.ID, false), want: desk.IncomingQuarantined},
		"as someone with an account":     {from: "Dora Account <" + dora.Address + ">", to: o.token(n, col.ID, false), want: desk.IncomingQuarantined},
		"the requester herself":          {from: "Carla Customer <carla@client.example>", to: o.token(n, col.ID, false), headers: confirmed, want: desk.IncomingAccepted},
		"with a token of her own":        {from: "Carla Customer <carla@client.example>", to: o.token(n, carla, false), want: desk.IncomingAccepted},
	} {
		r := o.process(letter{from: c.from, to: c.to, subject: "Re", body: name, headers: c.headers})
		if r.Status != c.want || r.Status == desk.IncomingQuarantined && (r.Reason != desk.ReasonUnconfirmed || r.Ticket != n) {
			t.Errorf("%s: %+v", name, r)
		}
	}
	joined := 0
	for i := range 5 {
		if r := o.process(letter{from: fmt.Sprintf("Stranger <stranger%d@elsewhere.example>", i), to: o.token(n, carla, false), subject: "Re", body: "Hello."}); r.Status == desk.IncomingAccepted {
			joined++
		} else if r.Reason != desk.ReasonUnconfirmed {
			t.Errorf("%+v", r)
		}
	}
	if joined != 1 { // besides Col
		t.Errorf("%d strangers joined by emails that nothing confirms", joined)
	}
	stranger := o.processed.ID
	if err := o.review().Release(t.Context(), o.agent, stranger); err != nil {
		t.Fatal(err)
	}
	if r := o.reprocess(); r.Status != desk.IncomingAccepted || r.Ticket != n {
		t.Errorf("one whom staff believe: %+v", r)
	}
	if r := o.process(letter{from: "Dora Account <" + dora.Address + ">", to: o.token(n, carla, false), subject: "Re", body: "Hello.", headers: confirmed}); r.Ticket != n {
		t.Errorf("someone with an account whose domain confirms it: %+v", r)
	}
}

// Those who join by confirmed emails don't count towards those who may by others. Who can't join opens a ticket of their own.
func TestProof_onlyThoseWhomNothingConfirmsAreBounded(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	to := o.token(n, o.record(n).Requester.ID, false)
	stranger := func(i int, authentication string) desk.IncomingResult {
		return o.process(letter{from: fmt.Sprintf("Stranger <stranger%d@elsewhere.example>", i), to: to, subject: "Re", body: "Hello.",
			headers: []string{"Authentication-Results: border.example; dmarc=" + authentication + " header.from=elsewhere.example"}})
	}
	for i, authentication := range []string{"pass", "pass", "none", "none"} {
		if r := stranger(i, authentication); r.Ticket != n || r.Status != desk.IncomingAccepted {
			t.Errorf("stranger %d: %+v", i, r)
		}
		o.step(n)
	}
	if r := stranger(4, "none"); r.Reason != desk.ReasonUnconfirmed {
		t.Errorf("the third whom nothing confirms: %+v", r)
	}
	removed, err := o.PersonByAddress(t.Context(), "stranger2@elsewhere.example")
	if err != nil {
		t.Fatal(err)
	}
	o.send(o.agent, desk.Request{Number: n, Verb: ticket.VerbRemoveParticipant, Whom: desk.Whom{Person: string(removed.ID)}})
	o.step(n)
	if r := stranger(5, "none"); r.Ticket != n {
		t.Errorf("in the place of one who was removed: %+v", r)
	}
	o.step(n)
	if r := stranger(2, "none"); r.Status != desk.IncomingAccepted || r.Ticket == n {
		t.Errorf("one who was removed: %+v", r)
	}
	o.send(o.agent, desk.Request{Number: n, Verb: ticket.VerbClose})
	o.step(n)
	if r := stranger(6, "none"); r.Status != desk.IncomingAccepted || r.Ticket == n {
		t.Errorf("one who writes to a closed ticket: %+v", r)
	}
}

// Agents see whether anything confirms who wrote an email, with its message.
func TestProof_whetherTheSenderIsConfirmedIsRecordedWithTheMessage(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	requester := o.token(n, o.record(n).Requester.ID, false)
	authentic := []string{"Authentication-Results: border.example; dmarc=pass header.from=client.example"}
	for _, l := range []letter{
		{from: carla, to: requester, body: "with a token of her own"},
		{from: col, to: requester, body: "with someone else's token"},
		{from: carla, subject: "Re", body: "by a Message-ID", headers: []string{"In-Reply-To: " + o.messageID(n, 1, true)}},
		{from: anna, to: o.token(n, o.agent.ID, false), body: "an agent's note"},
	} {
		if r := o.process(l); r.Ticket != n {
			t.Fatalf("%s: %+v", l.body, r)
		}
	}
	o.expect("senders", o.senders(n), []string{
		"unconfirmed: It is late.", "confirmed: with a token of her own", "unconfirmed: with someone else's token", "confirmed: by a Message-ID", ": an agent's note",
	})
	proven := o.process(letter{from: carla, subject: "Another", body: "authenticated", headers: authentic})
	o.expect("senders", o.senders(proven.Ticket), []string{"confirmed: authenticated"})
	disowned := o.process(letter{from: carla, subject: "A third", body: "released", headers: []string{"Authentication-Results: border.example; dmarc=fail header.from=client.example"}})
	if disowned.Status != desk.IncomingQuarantined {
		t.Fatalf("%+v", disowned)
	}
	if err := o.review().Release(t.Context(), o.agent, o.processed.ID); err != nil {
		t.Fatal(err)
	}
	released := o.reprocess()
	o.step(released.Ticket)
	o.expect("senders", o.senders(released.Ticket), []string{"confirmed: released"})
}

// senders returns what confirms the senders of a ticket's messages.
func (o *office) senders(n ticket.Number) (all []string) {
	o.t.Helper()
	entries, err := o.Timeline(o.t.Context(), o.agent, n)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, e := range entries {
		if e.Body != "" {
			all = append(all, string(e.Sender)+": "+e.Body)
		}
	}
	return all
}
