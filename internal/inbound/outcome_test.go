package inbound_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/inbound"
	"github.com/holesalemart/supportdesk/internal/inbound/trust"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// sql runs a statement on the office's database.
func (o *office) sql(statement string, args ...any) {
	o.t.Helper()
	conn, err := pgx.Connect(o.t.Context(), o.dsn)
	if err != nil {
		o.t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(o.t.Context())) }()
	if _, err := conn.Exec(o.t.Context(), statement, args...); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) send(by desk.Person, r desk.Request) {
	o.t.Helper()
	if _, err := o.tickets.Send(o.t.Context(), by, r); err != nil {
		o.t.Fatal(err)
	}
}

// receive stores a mail of Carla, or of another sender, to a recipient.
func (o *office) receive(from, to, body string) (id int64) {
	o.t.Helper()
	raw := "From: " + from + "\r\nTo: " + to + "\r\nSubject: Re: My parcel\r\nMessage-ID: <" + fmt.Sprint(time.Now().UnixNano()) + "@client.example>\r\n\r\n" + body + "\r\n"
	_, path, _ := strings.Cut(strings.TrimSuffix(from, ">"), "<")
	id, err := o.receiver.Receive(o.t.Context(), desk.Envelope{Source: desk.SourceLMTP, ReturnPath: path, Recipients: []string{to}}, strings.NewReader(raw))
	if err != nil {
		o.t.Fatal(err)
	}
	return id
}

// recheck looks at the outcomes of what mails became, and expects a number of refusals.
func (o *office) recheck(want int) {
	o.t.Helper()
	if n, err := o.RecheckIncoming(o.t.Context()); err != nil || n != want {
		o.t.Errorf("%d refusals, want %d; %v", n, want, err)
	}
}

// attempt processes the oldest mail as one that dies before its result is recorded.
func (o *office) attempt() desk.IncomingResult {
	o.t.Helper()
	m, found, err := o.ClaimIncoming(o.t.Context(), "dead", -time.Second)
	if err != nil || !found {
		o.t.Fatal(found, err)
	}
	r, err := o.mails.Process(o.t.Context(), m)
	if err != nil {
		o.t.Fatal(err)
	}
	return r
}

func TestOutcome_aReplyToATicketThatClosedMeanwhileBecomesAFollowUp(t *testing.T) {
	t.Parallel()
	for name, process := range map[string]func(*office) desk.IncomingResult{
		"recorded first":       (*office).reprocess,
		"killed in the middle": (*office).attempt,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := openOffice(t)
			n := o.opened()
			o.send(o.agent, desk.Request{Number: n, Verb: ticket.VerbClose})
			id := o.receive(carla, o.token(n, o.record(n).Requester.ID, false), "One more thing.")
			if r := process(o); r.Status != desk.IncomingAccepted || r.Ticket != n {
				t.Fatalf("%+v", r)
			}
			o.step(n)
			o.recheck(map[string]int{"recorded first": 1}[name])
			r := o.reprocess()
			if r.Status != desk.IncomingAccepted || r.Ticket == n || o.record(r.Ticket).Follows != n {
				t.Fatalf("%+v", r)
			}
			o.step(r.Ticket)
			o.expect("the follow-up", o.said(r.Ticket), []string{"submitted by Carla Customer: One more thing."})
			o.recheck(0)
			if m, err := o.Incoming(t.Context(), id); err != nil || m.Status != desk.IncomingAccepted || m.Ticket != r.Ticket {
				t.Errorf("%+v, %v", m, err)
			}
			if _, found, err := o.ClaimIncoming(t.Context(), "attempt", time.Minute); found || err != nil {
				t.Errorf("it is processed once more: %v", err)
			}
		})
	}
}

// What was accepted is not accepted once more because the ticket was closed, or its sender blocked, before that was recorded.
func TestOutcome_anAttemptThatDiedAfterAcceptanceIsNotRepeatedElsewhere(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	o.receive(carla, o.token(n, o.record(n).Requester.ID, false), "One more thing.")
	o.attempt()
	o.send(o.agent, desk.Request{Number: n, Verb: ticket.VerbClose})
	o.step(n)
	if err := o.Block(t.Context(), o.agent.ID, "carla@client.example", true); err != nil {
		t.Fatal(err)
	}
	if r := o.reprocess(); r.Status != desk.IncomingAccepted || r.Ticket != n {
		t.Errorf("%+v", r)
	}
	o.recheck(0)
	o.expect("timeline", o.said(n), []string{late, "customer-replied by Carla Customer: One more thing."})
}

func TestOutcome_anotherRefusalIsInQuarantineUntilItIsReleased(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	const col = "Col League <col@client.example>"
	o.process(letter{from: col, to: o.token(n, o.record(n).Requester.ID, false), subject: "Re", body: "I packed it."})
	leaguer, err := o.PersonByAddress(t.Context(), "col@client.example")
	if err != nil {
		t.Fatal(err)
	}
	whom := desk.Whom{Person: string(leaguer.ID)}
	o.send(o.agent, desk.Request{Number: n, Verb: ticket.VerbRemoveParticipant, Whom: whom})
	id := o.receive(col, o.token(n, leaguer.ID, false), "Wait.")
	if r := o.reprocess(); r.Status != desk.IncomingAccepted {
		t.Fatalf("%+v", r)
	}
	o.recheck(0) // it has no outcome yet
	o.step(n)
	o.recheck(1)
	if r := o.reprocess(); r.Status != desk.IncomingQuarantined || r.Reason != desk.ReasonRefused || r.Ticket != n || !strings.Contains(r.Detail, "not of the ticket any more") {
		t.Errorf("%+v", r)
	}
	// One that is released and refused again is where it was, and is not tried for ever.
	if err := o.review().Release(t.Context(), o.agent, id); err != nil {
		t.Fatal(err)
	}
	o.send(o.agent, desk.Request{Number: n, Verb: ticket.VerbAddParticipant, Whom: whom})
	o.step(n)
	o.send(o.agent, desk.Request{Number: n, Verb: ticket.VerbRemoveParticipant, Whom: whom})
	if r := o.reprocess(); r.Status != desk.IncomingAccepted || r.Ticket != n {
		t.Errorf("released before it is refused again: %+v", r)
	}
	o.step(n)
	o.recheck(1)
	if r := o.reprocess(); r.Status != desk.IncomingQuarantined || r.Reason != desk.ReasonRefused {
		t.Errorf("refused again: %+v", r)
	}
	// After the cause is gone it is accepted.
	o.send(o.agent, desk.Request{Number: n, Verb: ticket.VerbAddParticipant, Whom: whom})
	o.step(n)
	if err := o.review().Release(t.Context(), o.agent, id); err != nil {
		t.Fatal(err)
	}
	if r := o.reprocess(); r.Status != desk.IncomingAccepted || r.Ticket != n {
		t.Errorf("released: %+v", r)
	}
	o.step(n)
	o.recheck(0)
	said := o.said(n)
	if i := slices.Index(said, "customer-replied by Col League: Wait."); i < 0 {
		t.Errorf("%q", said)
	}
}

func TestTimes_aMailCountsFromItsArrival(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	id := o.receive(carla, "support@desk.example", "It is late.")
	m, err := o.Incoming(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	arrived := m.Received.Truncate(time.Second)
	for time.Now().Before(arrived.Add(3 * time.Second)) {
		time.Sleep(20 * time.Millisecond)
	}
	changed := string(policy.Holesalemart()) + "\n# another version\n"
	if _, _, err := app.PublishPolicy(t.Context(), o, []byte(changed), "a test", "the next"); err != nil {
		t.Fatal(err)
	}
	n := o.reprocess().Ticket
	o.step(n)
	r := o.record(n)
	if !r.Submitted.Equal(arrived) || r.Policy != 1 {
		t.Errorf("submitted %s under policy %d, want %s under the policy of that time", r.Submitted, r.Policy, arrived)
	}
	if started := r.State.Ticket.Promise(policy.Resolution).Clock.Ledger[0].At; !started.Equal(arrived) {
		t.Errorf("the clock runs from %s, want %s", started, arrived)
	}
	// An answer counts from its arrival too, but nothing is before what was recorded.
	o.send(o.agent, desk.Request{Number: n, Verb: ticket.VerbNote, Body: "A note."})
	o.step(n)
	noted := o.record(n).State.Ticket
	id = o.receive(carla, o.token(n, r.Requester.ID, false), "Early.")
	o.sql(`UPDATE incoming_mails SET received_at = $2 WHERE id = $1`, id, arrived.Add(time.Second))
	o.reprocess()
	o.step(n)
	entries, err := o.Timeline(t.Context(), o.agent, n)
	if err != nil {
		t.Fatal(err)
	}
	last, before := entries[len(entries)-1], entries[len(entries)-2]
	if last.Kind != ticket.EventCustomerReplied || !last.At.Equal(before.At) || noted.Events != len(entries)-1 {
		t.Errorf("the reply is at %s, after an entry at %s", last.At, before.At)
	}
	// A mail from before the first policy is under the one in force.
	id = o.receive("Col <col@client.example>", "support@desk.example", "Earlier still.")
	o.sql(`UPDATE incoming_mails SET received_at = $2 WHERE id = $1`, id, arrived.Add(-3*time.Hour))
	if r := o.record(o.reprocess().Ticket); !r.Submitted.Equal(arrived.Add(-3*time.Hour)) || r.Policy != 2 {
		t.Errorf("submitted %s under policy %d", r.Submitted, r.Policy)
	}
}

// Senders' clocks may be wrong, on purpose or not, and those of our own servers may be ahead of one another.
func TestTimes_neitherADateNorAClockThatIsAheadIsBelieved(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	var n ticket.Number
	for _, date := range []string{"Fri, 01 Jan 2100 00:00:00 +0000", "Thu, 01 Jan 1970 00:00:00 +0000", "Sat, 31 Dec 9999 23:59:59 +0000"} {
		for to := range map[string]bool{"support@desk.example": true, o.replyOrDesk(n): true} {
			r := o.process(letter{from: carla, to: to, subject: "Re: My parcel", body: date, headers: []string{"Date: " + date}})
			n = r.Ticket
			entries, err := o.Timeline(t.Context(), o.agent, n)
			if err != nil || r.Status != desk.IncomingAccepted {
				t.Fatal(r, err)
			}
			if at := entries[len(entries)-1].At; at.Before(o.processed.Received.Add(-2*time.Second)) || at.After(time.Now()) {
				t.Errorf("a mail dated %s counts from %s, want %s", date, at, o.processed.Received)
			}
		}
	}
	for _, to := range []string{"support@desk.example", o.replyOrDesk(n)} {
		o.sql(`UPDATE incoming_mails SET received_at = now() + interval '1 hour' WHERE id = $1`, o.receive(carla, to, "From the future."))
		n := o.reprocess().Ticket
		o.step(n)
		entries, err := o.Timeline(t.Context(), o.agent, n)
		if err != nil || entries[len(entries)-1].At.After(time.Now()) {
			t.Errorf("a mail to %s counts from %s, %v", to, entries[len(entries)-1].At, err)
		}
	}
}

// replyOrDesk returns the address at which the requester of a ticket replies, and the desk's if there is no ticket.
func (o *office) replyOrDesk(n ticket.Number) string {
	o.t.Helper()
	if n == "" {
		return "support@desk.example"
	}
	return o.token(n, o.record(n).Requester.ID, false)
}

func TestTimes_whatAnAgentForwardsCountsFromItsArrival(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	raw := "Authentication-Results: border.example; dmarc=pass header.from=staff.example\r\nReceived: from staff.example by border.example; Mon, 23 Nov 2026 10:00:00 +0000\r\n" +
		"From: Anna Agent <anna@staff.example>\r\nTo: support@desk.example\r\nSubject: Fwd: My parcel\r\n\r\nPlease see to it.\r\n\r\n" +
		"---------- Forwarded message ---------\r\nFrom: Carla Customer <carla@client.example>\r\nSubject: My parcel\r\nTo: anna@staff.example\r\n\r\nIt is late.\r\n"
	id, err := o.receiver.Receive(t.Context(), desk.Envelope{Source: desk.SourceLMTP, ReturnPath: "anna@staff.example", Recipients: []string{"support@desk.example"}}, strings.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	arrived := time.Now().Add(-2 * time.Hour).Truncate(time.Second)
	o.sql(`UPDATE incoming_mails SET received_at = $2 WHERE id = $1`, id, arrived)
	r := o.reprocess()
	if r.Status != desk.IncomingAccepted {
		t.Fatalf("%+v", r)
	}
	o.step(r.Ticket)
	entries, err := o.Timeline(t.Context(), o.agent, r.Ticket)
	if err != nil || len(entries) < 2 || !entries[0].At.Equal(arrived) || !entries[len(entries)-1].At.Equal(arrived) || !o.record(r.Ticket).Submitted.Equal(arrived) {
		t.Errorf("%+v, %v; want both at %s", entries, err, arrived)
	}
}

// fast is a policy with a first response within three seconds.
func fast() []byte {
	return []byte(`name: Fast
time_zone: UTC
hours: {monday: ["00:00-24:00"], tuesday: ["00:00-24:00"], wednesday: ["00:00-24:00"], thursday: ["00:00-24:00"], friday: ["00:00-24:00"], saturday: ["00:00-24:00"], sunday: ["00:00-24:00"]}
categories: [general]
clocks:
  first_response: {target: 3s, counts: calendar}
  resolution: {target: 10d, counts: calendar}
silence: {nudge_after: 3d, resolve_after: 7d, close_after: 5d}
`)
}

// overdue waits until a ticket's first response is due.
func (o *office) overdue(n ticket.Number) (due time.Time) {
	o.t.Helper()
	due, _ = o.record(n).State.Ticket.Promise(policy.FirstResponse).Clock.Due()
	if due.IsZero() {
		o.t.Fatal("nothing is due")
	}
	for time.Now().Before(due.Add(time.Second)) {
		time.Sleep(20 * time.Millisecond)
	}
	return due
}

func TestTimes_anAnswerThatArrivedBeforeADeadlineHasMetIt(t *testing.T) {
	t.Parallel()
	for name, step := range map[string]func(ticket.Number, time.Time) ticket.StepRequest{
		"the timer": func(n ticket.Number, due time.Time) ticket.StepRequest {
			return ticket.StepRequest{Number: n, Due: due}
		},
		"the reconciler's": func(n ticket.Number, _ time.Time) ticket.StepRequest {
			return ticket.StepRequest{Number: n, CatchUp: true}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := openOffice(t)
			if _, _, err := app.PublishPolicy(t.Context(), o, fast(), "a test", "fast"); err != nil {
				t.Fatal(err)
			}
			answered, ignored := o.opened(), o.opened()
			o.receive("Anna Agent <anna@staff.example>", o.token(answered, o.agent.ID, true), "It is found.")
			machine := o.receive(carla, o.token(ignored, o.record(ignored).Requester.ID, false), "I am away.")
			due := o.overdue(ignored)
			for _, n := range []ticket.Number{answered, ignored} {
				r, err := o.steps.Step(t.Context(), step(n, due))
				if err != nil {
					t.Fatal(err)
				}
				if o.record(n).State.Ticket.Breached() {
					t.Fatal("a breach before the mail was processed")
				}
				if !r.Digest.Next.Due.After(time.Now().Add(10 * time.Second)) {
					t.Errorf("the next attempt is at %s, so the workflow does not rest", r.Digest.Next.Due)
				}
			}
			o.reprocess()
			o.step(answered)
			if p := o.record(answered).State.Ticket.Promise(policy.FirstResponse); p.MetAt.IsZero() || !p.MetAt.Before(due) || !p.BreachedAt.IsZero() {
				t.Errorf("the promise: met %s, due %s, breached %s", p.MetAt, due, p.BreachedAt)
			}
			// A mail that becomes nothing holds up a deadline only until then.
			o.sql(`UPDATE incoming_mails SET status = 'recorded', processed_at = now() WHERE id = $1`, machine)
			o.step(ignored)
			if p := o.record(ignored).State.Ticket.Promise(policy.FirstResponse); !p.BreachedAt.Equal(due) {
				t.Errorf("breached %s, due %s", p.BreachedAt, due)
			}
		})
	}
}

// By the recipients of its envelope, or by its header, which is not parsed by then.
func TestTimes_aMailThatCannotBeProcessedHoldsUpADeadlineForADayAtMost(t *testing.T) {
	t.Parallel()
	for name, way := range map[string]func(o *office, n ticket.Number, token string) (to, header string){
		"by the envelope": func(_ *office, _ ticket.Number, token string) (to, header string) { return token, "" },
		"by a header": func(_ *office, _ ticket.Number, token string) (to, header string) {
			return "support@desk.example", "Cc: someone@else.example,\r\n\t\"Desk\" <" + strings.ToUpper(token) + ">\r\n"
		},
		"by a Message-ID": func(o *office, n ticket.Number, _ string) (to, header string) {
			return "support@desk.example", "References: <1@client.example>\r\n " + o.messageID(n, 1, true) + "\r\n"
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := openOffice(t)
			n := o.opened()
			to, header := way(o, n, o.token(n, o.record(n).Requester.ID, false))
			id, err := o.receiver.Receive(t.Context(), desk.Envelope{Source: desk.SourceLMTP, ReturnPath: "carla@client.example", Recipients: []string{to}},
				strings.NewReader("From: "+carla+"\r\n"+header+"\r\nHello?\r\n"))
			if err != nil {
				t.Fatal(err)
			}
			for hours, want := range map[int]bool{23: true, 25: false} {
				o.sql(`UPDATE incoming_mails SET received_at = now() - make_interval(hours => $2) WHERE id = $1`, id, hours)
				if waits, arrived := o.waits(n); waits != want || arrived.IsZero() == want {
					t.Errorf("%d hours old: waits %v since %s", hours, waits, arrived)
				}
			}
		})
	}
}

// waits reports whether a mail to a ticket is not processed yet, and when it arrived.
func (o *office) waits(n ticket.Number) (waits bool, arrived time.Time) {
	o.t.Helper()
	err := o.StepTx(o.t.Context(), n, func(_ app.LockedTicket, tx app.StepTx) (err error) {
		arrived, waits, err = tx.WaitingMail(o.t.Context())
		return err
	})
	if err != nil {
		o.t.Fatal(err)
	}
	return waits, arrived
}

// flaky is a resolver that fails for a while. Then nothing is published, but for a policy of client.example.
type flaky struct{ down atomic.Bool }

func ask[T any](f *flaky, name string, known map[string][]T) ([]T, error) {
	if f.down.Load() {
		return nil, &net.DNSError{Err: "server misbehaving", Name: name, IsTemporary: true}
	}
	if found := known[name]; found != nil {
		return found, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

func (f *flaky) LookupTXT(_ context.Context, name string) ([]string, error) {
	return ask(f, name, map[string][]string{"_dmarc.client.example.": {"v=DMARC1; p=reject"}, "client.example.": {"v=spf1 ip4:192.0.2.1 -all"}})
}
func (f *flaky) LookupMX(_ context.Context, name string) ([]*net.MX, error) {
	return ask[*net.MX](f, name, nil)
}
func (f *flaky) LookupIPAddr(_ context.Context, name string) ([]net.IPAddr, error) {
	return ask[net.IPAddr](f, name, nil)
}
func (f *flaky) LookupAddr(_ context.Context, name string) ([]string, error) {
	return ask[string](f, name, nil)
}

// tryOne processes a mail once, and defers it if that fails, as the processor does.
func (o *office) tryOne(id int64) (desk.IncomingResult, error) {
	o.t.Helper()
	o.sql(`UPDATE incoming_mails SET not_before = '-infinity' WHERE id = $1`, id)
	m, found, err := o.ClaimIncoming(o.t.Context(), "attempt", time.Minute)
	if err != nil || !found || m.ID != id {
		o.t.Fatal(m.ID, found, err)
	}
	r, err := o.mails.Process(o.t.Context(), m)
	if err == nil {
		return r, o.SettleIncoming(o.t.Context(), id, "attempt", r)
	}
	if err := o.DeferIncoming(o.t.Context(), id, "attempt", false, time.Hour, "it is not due"); err != nil {
		o.t.Fatal(err)
	}
	return r, err
}

func TestTrust_whatCannotBeLookedUpIsTriedAgain(t *testing.T) {
	t.Parallel()
	resolver := &flaky{}
	o := openOfficeWith(t, trust.Options{Resolver: resolver})
	receive := func(ip, from string) int64 {
		raw := "From: " + from + "\r\nTo: support@desk.example\r\nSubject: My parcel\r\n\r\n" + ip + "\r\n"
		id, err := o.receiver.Receive(t.Context(), desk.Envelope{
			Source: desk.SourceSMTP, Client: ip, Helo: "client.example", ReturnPath: "carla@client.example", Recipients: []string{"support@desk.example"},
		}, strings.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	for name, c := range map[string]struct {
		ip     string
		status desk.IncomingStatus
		trust  desk.Trust
	}{
		"proven later":    {"192.0.2.1", desk.IncomingAccepted, desk.TrustPass},
		"disproven later": {"192.0.2.66", desk.IncomingQuarantined, desk.TrustFail},
		"not found out":   {"192.0.2.67", desk.IncomingAccepted, desk.TrustUnknown},
	} {
		resolver.down.Store(true)
		id := receive(c.ip, carla)
		for _, waited := range []time.Duration{0, 2 * time.Minute, 14 * time.Minute} {
			o.sql(`UPDATE incoming_mails SET unverified_since = now() - $2::interval WHERE id = $1 AND unverified_since IS NOT NULL`, id, waited)
			_, err := o.tryOne(id)
			var f *fault.Error
			if !errors.As(err, &f) || f.Kind != fault.Unavailable || f.RetryAfter < max(30*time.Second, waited) || f.RetryAfter > waited+time.Minute {
				t.Errorf("%s, after %s: %+v", name, waited, err)
			}
		}
		if c.trust == desk.TrustUnknown {
			o.sql(`UPDATE incoming_mails SET unverified_since = now() - interval '16 minutes' WHERE id = $1`, id)
		} else {
			resolver.down.Store(false)
		}
		r, err := o.tryOne(id)
		if m, _ := o.Incoming(t.Context(), id); err != nil || r.Status != c.status || m.Trust != c.trust {
			t.Errorf("%s: %+v, trust %s, %v", name, r, m.Trust, err)
		}
	}
	// What is decided without it does not wait.
	resolver.down.Store(true)
	if r, err := o.tryOne(receive("192.0.2.68", "support@desk.example")); err != nil || r.Reason != desk.ReasonOwn {
		t.Errorf("an own address: %+v, %v", r, err)
	}
}

func TestTrust_severalAuthorsAreNotDisownedButAmbiguous(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	r := o.process(letter{from: "Carla <carla@client.example>, Col <col@client.example>", subject: "My parcel", body: "It is late.", returnPath: "carla@client.example"})
	m, err := o.Incoming(t.Context(), o.processed.ID)
	if err != nil || r.Status != desk.IncomingQuarantined || r.Reason != desk.ReasonAmbiguous || m.Trust != desk.TrustAmbiguous || r.Detail != "The email names several authors." {
		t.Errorf("%+v, trust %s, %v", r, m.Trust, err)
	}
	if err := o.review().Release(t.Context(), o.agent, m.ID); err != nil {
		t.Fatal(err)
	}
	if r := o.reprocess(); r.Status != desk.IncomingAccepted || o.record(r.Ticket).Requester.Name != "Carla" {
		t.Errorf("released: %+v", r)
	}
}

// run runs a processor until a mail has left the queue.
func (o *office) run(id int64, process inbound.Process) desk.IncomingMail {
	o.t.Helper()
	return o.runFor(time.Hour, id, process)
}

// runFor does so with a limit of each attempt.
func (o *office) runFor(limit time.Duration, id int64, process inbound.Process) desk.IncomingMail {
	o.t.Helper()
	ctx, cancel := context.WithCancel(o.t.Context())
	var running sync.WaitGroup
	running.Go(func() {
		p := inbound.NewProcessor(o, process, slog.New(slog.NewTextHandler(o.t.Output(), nil)))
		p.Limit(limit)
		_ = p.Run(ctx)
	})
	defer running.Wait()
	defer cancel()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		m, err := o.Incoming(o.t.Context(), id)
		if err != nil {
			o.t.Fatal(err)
		}
		if m.Status != desk.IncomingReceived {
			return m
		}
		if time.Now().After(deadline) {
			o.t.Fatalf("still there: %+v", m)
		}
	}
}

func TestProcessor_quarantinesAMailOfWhichTwentyAttemptsFailed(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	id := o.receive(carla, "support@desk.example", "It is late.")
	o.sql(`UPDATE incoming_mails SET attempts = 18 WHERE id = $1`, id)
	var tries atomic.Int32
	m := o.run(id, func(context.Context, desk.IncomingMail) (desk.IncomingResult, error) {
		tries.Add(1)
		return desk.IncomingResult{}, errors.New("a defect")
	})
	if m.Status != desk.IncomingQuarantined || m.Reason != desk.ReasonCrashed || m.Detail != "20 attempts to process this email failed." || tries.Load() != 2 {
		t.Errorf("after %d attempts: %+v", tries.Load(), m)
	}
}

func TestProcessor_quarantinesAMailThatKillsTheProgram(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	id := o.receive(carla, "support@desk.example", "It is late.")
	for range 20 { // each claims it and dies
		if _, found, err := o.ClaimIncoming(t.Context(), "dead", -time.Second); !found || err != nil {
			t.Fatal(found, err)
		}
	}
	m := o.run(id, func(context.Context, desk.IncomingMail) (desk.IncomingResult, error) {
		t.Error("it is tried once more")
		return desk.IncomingResult{}, nil
	})
	if m.Status != desk.IncomingQuarantined || m.Reason != desk.ReasonCrashed {
		t.Errorf("%+v", m)
	}
}

func TestProcessor_attemptsThatFailBecauseOfANeighbourNeverCount(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	id := o.receive(carla, "support@desk.example", "It is late.")
	o.sql(`UPDATE incoming_mails SET attempts = 19 WHERE id = $1`, id)
	tries := 0
	m := o.run(id, func(ctx context.Context, m desk.IncomingMail) (desk.IncomingResult, error) {
		if tries++; tries < 3 {
			return desk.IncomingResult{}, fault.New(fault.Unavailable, "the scanner is down")
		}
		return o.mails.Process(ctx, m)
	})
	if m.Status != desk.IncomingAccepted || tries != 3 {
		t.Errorf("after %d attempts: %+v", tries, m)
	}
}

// A processor finds by itself what tickets refused.
func TestProcessor_looksAtOutcomes(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	o.send(o.agent, desk.Request{Number: n, Verb: ticket.VerbClose})
	id := o.receive(carla, o.token(n, o.record(n).Requester.ID, false), "One more thing.")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() { _ = inbound.NewProcessor(o, o.mails.Process, slog.New(slog.DiscardHandler)).Run(ctx) }()
	await := func(what string, holds func(desk.IncomingMail) bool) {
		for deadline := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
			m, err := o.Incoming(t.Context(), id)
			if err != nil || time.Now().After(deadline) {
				t.Fatal(what, m, err)
			}
			if holds(m) {
				return
			}
		}
	}
	await("accepted", func(m desk.IncomingMail) bool { return m.Status == desk.IncomingAccepted })
	o.step(n)
	await("a follow-up", func(m desk.IncomingMail) bool { return m.Status == desk.IncomingAccepted && m.Ticket != n })
}

func TestOutlook_aDamagedFileIsOnTheTicket(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	damaged := "\x78\x9f\x3e\x22\x01\x00\x02\x0f\x80\x06\x00\xff\xff\xff\x7fcut off"
	raw := "From: " + carla + "\r\nTo: support@desk.example\r\nSubject: My parcel\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: text/plain\r\n\r\nIt is late.\r\n--b\r\nContent-Type: application/ms-tnef; name=\"winmail.dat\"\r\n\r\n" + damaged + "\r\n--b--\r\n"
	r := o.processRaw(raw, "carla@client.example", "support@desk.example")
	entries, err := o.Timeline(t.Context(), o.agent, r.Ticket)
	if err != nil {
		t.Fatal(err)
	}
	files := entries[0].Files
	if len(files) == 0 || files[len(files)-1].Name != "winmail.dat" || files[len(files)-1].Size != int64(len(damaged)) {
		t.Errorf("files: %+v", files)
	}
	_, c, err := o.review().Mail(t.Context(), o.agent, o.processed.ID)
	if err != nil || len(c.Files) != len(files) || c.Files[len(files)-1].Size != int64(len(damaged)) || !strings.Contains(c.Problems[0], "winmail.dat") {
		t.Errorf("shown to staff: %+v, %v, %v", c.Files, c.Problems, err)
	}
}

// A mail that can't be processed is for supervisors, since nothing may have been looked for in it. One that can't be read stays so.
func TestProcessor_tellsWhatCannotBeReadFromWhatCannotBeProcessed(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	id := o.receive(carla, "support@desk.example", "It is late.")
	m := o.run(id, func(context.Context, desk.IncomingMail) (desk.IncomingResult, error) {
		return desk.IncomingResult{}, fault.New(fault.Conflict, "a refusal that was not expected")
	})
	if m.Reason != desk.ReasonCrashed || !strings.Contains(m.Detail, "a refusal that was not expected") || m.MayRelease(o.agent) {
		t.Errorf("%+v", m)
	}
	if r := o.processRaw("\r\n", "carla@client.example", "support@desk.example"); r.Reason != desk.ReasonUnreadable {
		t.Errorf("an empty email: %+v", r)
	}
}

func TestProcessor_recordsWhyAMailWaits(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	id := o.receive(carla, "support@desk.example", "It is late.")
	var seen []string
	reasons := []error{fault.New(fault.Limited, "you have sent too much"), fault.New(fault.Unavailable, "the scanner is not responding"), errors.New("canary")}
	o.run(id, func(context.Context, desk.IncomingMail) (desk.IncomingResult, error) {
		m, err := o.Incoming(t.Context(), id)
		if err != nil {
			return desk.IncomingResult{}, err
		}
		seen = append(seen, m.Detail)
		if n := len(seen); n <= len(reasons) {
			return desk.IncomingResult{}, reasons[n-1]
		}
		return desk.IncomingResult{Status: desk.IncomingRecorded}, nil
	})
	o.expect("what it waits for", seen, []string{"", "its sender has sent too much in a short time", "the scanner is not responding", "an attempt to process it failed"})
}
