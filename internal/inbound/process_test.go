package inbound_test

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/blob"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/inbound"
	"github.com/holesalemart/supportdesk/internal/inbound/trust"
	"github.com/holesalemart/supportdesk/internal/link"
	"github.com/holesalemart/supportdesk/internal/mail"
	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// office is a desk that receives mail, without Temporal: steps are taken by hand.
type office struct {
	*store.Store
	t         *testing.T
	blobs     *blob.Store
	receiver  *inbound.Receiver
	mails     *app.IncomingMails
	steps     *app.Steps
	tickets   *app.Tickets
	agent     desk.Person
	signaled  []ticket.Number
	processed desk.IncomingMail
	dsn       string
}

func (o *office) Reconcile(_ context.Context, n ticket.Number) error {
	o.signaled = append(o.signaled, n)
	return nil
}

func openOffice(t *testing.T) *office {
	t.Helper()
	return openOfficeWith(t, trust.Options{AuthServID: "border.example"})
}

// openOfficeWith opens an office that verifies senders in its own way.
func openOfficeWith(t *testing.T, verify trust.Options) *office {
	t.Helper()
	return newOffice(t, verify, nil)
}

// openOfficeScanning opens an office that scans mails.
func openOfficeScanning(t *testing.T, scan inbound.Scan) *office {
	t.Helper()
	return newOffice(t, trust.Options{AuthServID: "border.example"}, scan)
}

func newOffice(t *testing.T, verify trust.Options, scan inbound.Scan) *office {
	t.Helper()
	o := &office{t: t}
	var err error
	o.dsn = pgtest.Template(t, "store", store.Migrate)
	if o.Store, err = store.Open(t.Context(), o.dsn, store.Options{MaxConns: 8}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Close)
	if o.blobs, err = blob.Open(t.Context(), "file://"+t.TempDir()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.blobs.Close() })
	if _, _, err := app.PublishPolicy(t.Context(), o, policy.Holesalemart(), "a test", "to begin with"); err != nil {
		t.Fatal(err)
	}
	if o.agent, err = o.AddPerson(t.Context(), desk.Person{Role: ticket.RoleAgent, Name: "Anna Agent", Address: "anna@staff.example"}); err != nil {
		t.Fatal(err)
	}
	o.receiver = inbound.NewReceiver(o.blobs, o, 1<<20)
	o.steps, o.tickets = app.NewSteps(o, app.MaxCommands), app.NewTickets(o, o, o, nil, desktest.NoRelay{})
	addresses := inbound.Addresses{"support@desk.example": "", "orders@desk.example": "order"}
	reader := inbound.NewReader(o.blobs, app.NewFiles(o, o.blobs, desk.FileLimits{}), trust.New(verify),
		inbound.ReaderOptions{Addresses: addresses, Website: "https://help.desk.example", Secrets: o.TokenSecrets, Scan: scan, Forms: []string{"form@shop.example"}})
	o.mails = app.NewIncomingMails(app.IncomingPorts{Reader: reader, Directory: o, Addresses: addresses.Find, Bounces: o, Workflows: o}, o.tickets, o.steps)
	return o
}

// letter is a mail that a test writes.
type letter struct {
	from, to, subject, body string
	returnPath              string // "-": that of from
	headers                 []string
}

// process receives and processes a mail, and takes the steps of its ticket.
func (o *office) process(l letter) desk.IncomingResult {
	o.t.Helper()
	to := l.to
	if to == "" {
		to = "support@desk.example"
	}
	lines := append(slices.Clone(l.headers), "Received: from client.example by border.example; Mon, 23 Nov 2026 10:00:00 +0000", "From: "+l.from, "To: "+to, "Subject: "+l.subject,
		fmt.Sprintf("Message-ID: <%d@client.example>", time.Now().UnixNano()))
	if !slices.ContainsFunc(l.headers, func(h string) bool { return strings.HasPrefix(h, "Content-Type:") }) {
		lines = append(lines, "Content-Type: text/plain; charset=utf-8")
	}
	path := l.returnPath
	if path == "" {
		_, path, _ = strings.Cut(strings.TrimSuffix(l.from, ">"), "<")
	}
	if path == "-" {
		path = ""
	}
	return o.processRaw(strings.Join(lines, "\r\n")+"\r\n\r\n"+strings.ReplaceAll(l.body, "\n", "\r\n"), path, to)
}

func (o *office) processRaw(raw, returnPath string, to ...string) desk.IncomingResult {
	o.t.Helper()
	ctx := o.t.Context()
	if _, err := o.receiver.Receive(ctx, desk.Envelope{Source: desk.SourceLMTP, ReturnPath: returnPath, Recipients: to}, strings.NewReader(raw)); err != nil {
		o.t.Fatal(err)
	}
	m, found, err := o.ClaimIncoming(ctx, "attempt", time.Minute)
	if err != nil || !found {
		o.t.Fatal(found, err)
	}
	o.processed = m
	var r desk.IncomingResult
	for range 2 { // as if the first attempt had died before its result was recorded
		if r, err = o.mails.Process(ctx, m); err != nil {
			o.t.Fatal(err)
		}
	}
	if err := o.SettleIncoming(ctx, m.ID, "attempt", r); err != nil {
		o.t.Fatal(err)
	}
	if r.Status == desk.IncomingAccepted {
		o.step(r.Ticket)
	}
	return r
}

// step decides the commands that a ticket has accepted.
func (o *office) step(n ticket.Number) {
	o.t.Helper()
	if _, err := o.steps.Step(o.t.Context(), ticket.StepRequest{Number: n, CatchUp: true}); err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) record(n ticket.Number) desk.Record {
	o.t.Helper()
	r, err := o.Ticket(o.t.Context(), o.agent, n)
	if err != nil {
		o.t.Fatal(err)
	}
	return r
}

// said returns the kinds of a ticket's events with messages, each with its author's name and its message.
func (o *office) said(n ticket.Number) (all []string) {
	o.t.Helper()
	entries, err := o.Timeline(o.t.Context(), o.agent, n)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, e := range entries {
		if e.Body != "" || e.Kind == ticket.EventParticipantAdded || e.Kind == ticket.EventMailBounced {
			all = append(all, fmt.Sprintf("%s by %s: %s", e.Kind, e.Author.Name, e.Body))
		}
	}
	return all
}

// token returns the address at which a person replies about a ticket.
func (o *office) token(n ticket.Number, id ticket.PersonID, public bool) string {
	o.t.Helper()
	token, err := o.ReplyToken(o.t.Context(), desk.ReplyTo{Number: n, Person: id, Public: public}, time.Now())
	if err != nil {
		o.t.Fatal(err)
	}
	address, err := link.ReplyAddress("support@desk.example", token)
	if err != nil {
		o.t.Fatal(err)
	}
	return address
}

// messageID returns the Message-ID of a ticket's nth mail.
func (o *office) messageID(n ticket.Number, mailN int, proven bool) string {
	o.t.Helper()
	m, err := o.Mail(o.t.Context(), n, mailN)
	if err != nil {
		o.t.Fatal(err)
	}
	if !proven {
		m.Data.MAC = ""
	}
	return mail.MessageID(n, mailN, m.Data.Epoch, m.Data.MAC, "desk.example")
}

// opened opens a ticket by mail for Carla.
func (o *office) opened() ticket.Number {
	o.t.Helper()
	r := o.process(letter{from: "Carla Customer <carla@client.example>", subject: "My parcel", body: "It is late."})
	if r.Status != desk.IncomingAccepted {
		o.t.Fatalf("%+v", r)
	}
	return r.Ticket
}

func (o *office) expect(what string, got, want []string) {
	o.t.Helper()
	if !slices.Equal(got, want) {
		o.t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

const late = "submitted by Carla Customer: It is late."

func TestIncomingMails_aStrangersMailOpensATicketOnce(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	r := o.record(n)
	if r.Subject != "My parcel" || r.Requester.Name != "Carla Customer" || r.Requester.Role != ticket.RoleCustomer {
		t.Errorf("%+v", r)
	}
	o.expect("timeline", o.said(n), []string{late})
	other := o.process(letter{from: "carla@client.example", to: "orders@desk.example", subject: "", body: "Where?", returnPath: "carla@client.example"})
	if r := o.record(other.Ticket); r.Submission.Category != "order" || r.Subject != "(no subject)" || r.Requester.ID != o.record(n).Requester.ID {
		t.Errorf("%+v", r)
	}
	all, _, err := o.List(t.Context(), desk.Filter{Viewer: o.agent, Limit: 10})
	if err != nil || len(all) != 2 {
		t.Errorf("%d tickets, %v", len(all), err)
	}
}

func TestIncomingMails_theTokenOrTheMessageIDFindsTheTicketAndNothingElse(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	requester := o.record(n).Requester.ID
	const carla = "Carla Customer <carla@client.example>"
	for i, l := range []letter{
		{from: carla, to: o.token(n, requester, false), subject: "Re", body: "by token"},
		{from: carla, to: strings.ToUpper(o.token(n, requester, false)), subject: "Re", body: "by token in capitals"},
		{from: carla, subject: "Re", body: "by Cc", headers: []string{"Cc: x@y.example, " + o.token(n, requester, false)}},
		{from: carla, subject: "Re", body: "by In-Reply-To", headers: []string{"In-Reply-To: " + o.messageID(n, 1, true)}},
		{from: carla, subject: "Re", body: "by References", headers: []string{"References: <a@b.example> " + o.messageID(n, 1, true) + " <c@d.example>"}},
	} {
		if r := o.process(l); r.Ticket != n {
			t.Errorf("%s: %+v", l.body, r)
		}
		if said := o.said(n); said[len(said)-1] != "customer-replied by Carla Customer: "+l.body || len(said) != i+2 {
			t.Errorf("%s: %q", l.body, said)
		}
	}
	stranger := "Sam Stranger <sam@elsewhere.example>"
	forged := o.token(n, requester, false)
	last := forged[strings.IndexByte(forged, '@')-1]
	other := map[bool]string{true: "1", false: "0"}[last == '0']
	for _, l := range []letter{
		{from: stranger, subject: "Re: [" + string(n) + "] My parcel", body: "by the number alone"},
		{from: stranger, to: "support+" + strings.ToLower(string(n)) + "@desk.example", subject: "Re", body: "by the number as an extension"},
		{from: stranger, subject: "Re", body: "by a Message-ID without proof", headers: []string{"In-Reply-To: " + o.messageID(n, 1, false)}},
		{from: stranger, to: strings.Replace(forged, string(last)+"@", other+"@", 1), subject: "Re", body: "by a forged token"},
	} {
		if r := o.process(l); r.Status != desk.IncomingAccepted || r.Ticket == n {
			t.Errorf("%s: %+v", l.body, r)
		}
	}
	if said := o.said(n); len(said) != 6 {
		t.Errorf("strangers wrote to the ticket: %q", said)
	}
}

func TestIncomingMails_aColleagueWhoAnswersJoinsAsWhoTheyAre(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	to := o.token(n, o.record(n).Requester.ID, false)
	o.process(letter{from: "Col League <col@client.example>", to: to, subject: "Fwd: My parcel", body: "I packed it."})
	o.expect("timeline", o.said(n), []string{late, "participant-added by Col League: ", "customer-replied by Col League: I packed it."})
	col, err := o.PersonByAddress(t.Context(), "COL@client.example")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Ticket(t.Context(), col, n); err != nil {
		t.Errorf("the colleague can't read the ticket: %v", err)
	}
	if _, err := o.tickets.Send(t.Context(), o.agent, desk.Request{Number: n, Verb: ticket.VerbRemoveParticipant, Whom: desk.Whom{Person: string(col.ID)}}); err != nil {
		t.Fatal(err)
	}
	o.step(n)
	if r := o.process(letter{from: "Col League <col@client.example>", to: o.token(n, col.ID, false), subject: "Re", body: "Again."}); r.Ticket == n {
		t.Error("the token of a person who was removed still lets them in")
	}
}

func TestIncomingMails_aMailToAClosedTicketOpensAFollowUp(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	if _, err := o.tickets.Send(t.Context(), o.agent, desk.Request{Number: n, Verb: ticket.VerbClose}); err != nil {
		t.Fatal(err)
	}
	o.step(n)
	r := o.process(letter{from: "carla@client.example", to: o.token(n, o.record(n).Requester.ID, false), subject: "Re: My parcel", body: "Again.", returnPath: "carla@client.example"})
	if r.Ticket == n || o.record(r.Ticket).Follows != n {
		t.Errorf("%+v follows %s", r, o.record(r.Ticket).Follows)
	}
}

func TestIncomingMails_staffAnswerWithNotesUnlessToThePublicAddress(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	anna := "Anna Agent <anna@staff.example>"
	o.process(letter{from: anna, to: o.token(n, o.agent.ID, false), subject: "Re", body: "A note."})
	o.process(letter{from: anna, to: o.token(n, o.agent.ID, true), subject: "Re", body: "An answer."})
	o.expect("timeline", o.said(n), []string{
		late, "noted by Anna Agent: A note.", "agent-replied by Anna Agent: An answer.",
	})
	ben, err := o.AddPerson(t.Context(), desk.Person{Role: ticket.RoleAgent, Name: "Ben Agent", Address: "ben@staff.example"})
	if err != nil {
		t.Fatal(err)
	}
	if r := o.process(letter{from: anna, to: o.token(n, ben.ID, true), subject: "Re", body: "By a colleague's address."}); r.Reason != desk.ReasonStaffOther || len(o.said(n)) != 3 {
		t.Errorf("%+v", r)
	}
	for _, l := range []letter{
		{from: anna, subject: "[" + string(n) + "]", body: "Without a token."},
		{from: anna, subject: "Re", body: "Without proof.", headers: []string{"In-Reply-To: " + o.messageID(n, 1, false)}},
	} {
		if r := o.process(l); r.Status != desk.IncomingQuarantined || r.Reason != desk.ReasonStaffNoCustomer {
			t.Errorf("%s: %+v", l.body, r)
		}
	}
}

// Emails that were sent before Message-IDs had a proof can be guessed by everyone who knows the ticket's number.
func TestIncomingMails_aMessageIDWithoutProofNeedsAnAuthenticatedSender(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	conn, err := pgx.Connect(t.Context(), o.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	if _, err := conn.Exec(t.Context(), `UPDATE deliveries SET signed = false WHERE ticket = $1`, n); err != nil {
		t.Fatal(err)
	}
	id := o.messageID(n, 1, false)
	answers := []string{"In-Reply-To: " + id}
	authentic := append(slices.Clone(answers), "Authentication-Results: border.example; dmarc=pass header.from=client.example")
	o.process(letter{from: "Carla Customer <carla@client.example>", subject: "Re", body: "An answer to an old email.", headers: authentic})
	o.expect("timeline", o.said(n), []string{late, "customer-replied by Carla Customer: An answer to an old email."})
	if r := o.process(letter{from: "Sam Stranger <sam@elsewhere.example>", subject: "Re", body: "A guess.", headers: answers}); r.Ticket == n {
		t.Error("a stranger who guessed the Message-ID wrote to the ticket")
	}
	if r := o.process(letter{from: "Anna Agent <anna@staff.example>", subject: "Re", body: "A guess.", headers: answers}); r.Status != desk.IncomingQuarantined {
		t.Errorf("someone who wrote as an agent: %+v", r)
	}
	if r := o.processRaw(bounceOf(id, "other@client.example"), "", "support@desk.example"); r.Ticket != "" {
		t.Errorf("a bounce of another recipient: %+v", r)
	}
	if r := o.processRaw(bounceOf(id, "carla@client.example"), "", "support@desk.example"); r.Ticket != n {
		t.Errorf("a bounce of the recipient: %+v", r)
	}
}

// What staff quote may be a mail to staff, with an address for replies that is theirs alone.
func TestIncomingMails_whatStaffQuoteIsNotInTheirReply(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	o.process(letter{
		from: "Anna Agent <anna@staff.example>", to: o.token(n, o.agent.ID, true), subject: "Re",
		body:    "<p>It is found.</p><div class=\"gmail_quote\"><div class=\"gmail_attr\">On Mon, 23 Nov 2026 at 10:00, Support &lt;support@desk.example&gt; wrote:<br></div><blockquote class=\"gmail_quote\">Secret note</blockquote></div>",
		headers: []string{"Content-Type: text/html; charset=utf-8"},
	})
	entries, err := o.Timeline(t.Context(), o.agent, n)
	if err != nil {
		t.Fatal(err)
	}
	last := entries[len(entries)-1]
	if strings.TrimSpace(last.Body) != "It is found." || last.HTML != "" {
		t.Errorf("%q, HTML %q", last.Body, last.HTML)
	}
}

const (
	secretLink  = "https://help.desk.example/c/AQAAAABqAbcdefghijklmnopqrstuvwxyz0123456789-_ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	attribution = "On Mon, 23 Nov 2026 at 10:00, Support <support@desk.example> wrote:\n"
)

// words returns everything that people of a ticket are shown of it.
func (o *office) words(n ticket.Number) string {
	o.t.Helper()
	entries, err := o.Timeline(o.t.Context(), o.agent, n)
	if err != nil {
		o.t.Fatal(err)
	}
	var b strings.Builder
	for _, e := range entries {
		b.WriteString(e.Body + "\n" + e.HTML + "\n")
	}
	return b.String()
}

// The desk's emails contain links and addresses that are for their recipient alone. People quote them in answers that others read.
func TestIncomingMails_whatTheDesksEmailsSayToTheirRecipientAloneIsNotQuotedToOthers(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	requester := o.record(n).Requester.ID
	to, staff := o.token(n, requester, false), o.token(n, o.agent.ID, true)
	const carla = "Carla Customer <carla@client.example>"
	for name, l := range map[string]letter{
		"quoted":               {body: "Thank you.\n\n" + attribution + "> For you alone.\n> " + secretLink + "\n> " + staff + "\n"},
		"quoted, broken":       {body: "Thank you.\n\n" + attribution + "> For you alone.\n> " + secretLink[:60] + "\n> " + secretLink[60:] + "\n"},
		"not marked as quoted": {body: "Thank you.\n=====\nOpen the conversation: " + secretLink + "\nor write to " + strings.ToUpper(staff) + "\n"},
		"in HTML": {
			body:    "<p>Thank you.</p><blockquote type=\"cite\"><p>For you alone.</p><a href=\"" + secretLink + "\">Open</a> " + staff + "</blockquote>",
			headers: []string{"Content-Type: text/html; charset=utf-8"},
		},
		"in HTML, by a gateway": {
			body:    "<p>Thank you.</p><a href=\"https://gateway.example/?u=" + url.QueryEscape(secretLink) + "\">Open</a>",
			headers: []string{"Content-Type: text/html; charset=utf-8"},
		},
	} {
		l.from, l.to, l.subject = carla, to, "Re: "+name
		if r := o.process(l); r.Status != desk.IncomingAccepted {
			t.Errorf("%s: %+v", name, r)
		}
	}
	shown := o.words(n)
	for _, secret := range []string{secretLink[30:60], secretLink[60:], strings.ToLower(staff[8:40]), strings.ToUpper(staff[8:40]), "%2Fc%2F"} {
		if strings.Contains(shown, secret) {
			t.Errorf("%q is shown", secret)
		}
	}
	if strings.Count(shown, "Thank you.") < 5 {
		t.Errorf("shown: %s", shown)
	}
	r := o.process(letter{from: "Anna Agent <anna@staff.example>", to: staff, subject: "Re", body: "It is found.\n=====\nhttps://help.desk.example/desk/tickets/" + string(n) + "\n"})
	if r.Status != desk.IncomingQuarantined || r.Reason != desk.ReasonStaffQuotation {
		t.Errorf("an answer to the requester with an email to staff in it: %+v", r)
	}
}

func TestIncomingMails_someoneWithAnEmailToStaffOrWhoWasRemovedDoesNotJoin(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	to := o.token(n, o.record(n).Requester.ID, false)
	const supplier, col = "Sue Supplier <sue@supplier.example>", "Col League <col@client.example>"
	for _, public := range []bool{false, true} {
		if r := o.process(letter{from: supplier, to: o.token(n, o.agent.ID, public), subject: "Re", body: "Here it is."}); r.Status != desk.IncomingQuarantined {
			t.Errorf("an answer to an email to staff: %+v", r)
		}
	}
	o.process(letter{from: col, to: to, subject: "Re", body: "I packed it."})
	joined, err := o.PersonByAddress(t.Context(), "col@client.example")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.tickets.Send(t.Context(), o.agent, desk.Request{Number: n, Verb: ticket.VerbRemoveParticipant, Whom: desk.Whom{Person: string(joined.ID)}}); err != nil {
		t.Fatal(err)
	}
	o.step(n)
	if r := o.process(letter{from: col, to: to, subject: "Re", body: "Again."}); r.Ticket == n {
		t.Error("someone who was removed has joined again")
	}
	for i := range ticket.MaxParticipants {
		if r := o.process(letter{from: fmt.Sprintf("N%d <n%d@client.example>", i, i), to: to, subject: "Re", body: "Me too."}); r.Ticket != n {
			t.Fatalf("%d: %+v", i, r)
		}
	}
	if r := o.process(letter{from: "Late <late@client.example>", to: to, subject: "Re", body: "Me too."}); r.Status != desk.IncomingQuarantined {
		t.Errorf("one more than there is room for: %+v", r)
	}
}

func TestIncomingMails_anAgentWhoForwardsOpensATicketForTheCustomer(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	const body = "Please help.\n\n---------- Forwarded message ---------\nFrom: Carla Customer <carla@client.example>\nDate: Mon, 23 Nov 2026 at 10:00\nSubject: My parcel\nTo: Anna <anna@staff.example>\n\nIt is late.\n"
	l := letter{from: "Anna Agent <anna@staff.example>", subject: "Fwd: My parcel", body: body}
	if r := o.process(l); r.Status != desk.IncomingQuarantined {
		t.Errorf("without a proof that Anna wrote it: %+v", r)
	}
	l.headers = []string{"Authentication-Results: border.example; dmarc=pass header.from=staff.example; dkim=pass header.d=staff.example"}
	r := o.process(l)
	if r.Status != desk.IncomingAccepted || o.record(r.Ticket).Requester.Name != "Carla Customer" {
		t.Errorf("%+v", r)
	}
}

func TestIncomingMails_whatMachinesAndStrangersToTheDoorWriteChangesNothing(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	to := o.token(n, o.record(n).Requester.ID, false)
	if err := o.Block(t.Context(), o.agent.ID, "@spam.example", true); err != nil {
		t.Fatal(err)
	}
	before := o.record(n)
	const carla = "Carla Customer <carla@client.example>"
	for reason, l := range map[string]letter{
		"auto-reply":               {from: carla, to: to, subject: "Out of office", body: "Back on Monday.", headers: []string{"Auto-Submitted: auto-replied"}},
		"list":                     {from: "News <news@shop.example>", subject: "Sale", body: "Buy.", headers: []string{"List-Id: <news.shop.example>", "Precedence: bulk"}},
		"sender-blocked":           {from: "Sid <sid@spam.example>", to: to, subject: "Buy", body: "Now."},
		"own-address":              {from: "support@desk.example", to: to, subject: "Re", body: "To myself.", returnPath: "support@desk.example"},
		"sender-not-authenticated": {from: carla, to: to, subject: "Re", body: "I am Carla.", headers: []string{"Authentication-Results: border.example; dmarc=fail header.from=client.example"}},
		"no-sender":                {from: "nobody", to: to, subject: "Re", body: "Who am I?", returnPath: "x@y.example"},
		"empty":                    {from: carla, to: to},
	} {
		want := desk.IncomingRecorded
		if reason == "sender-not-authenticated" || reason == "no-sender" {
			want = desk.IncomingQuarantined
		}
		if r := o.process(l); r.Status != want || r.Reason != reason && (reason != "own-address" || r.Reason != "loop") {
			t.Errorf("%s: %+v", reason, r)
		}
	}
	if r := o.process(letter{from: carla, to: to, subject: "Re: My parcel"}); r.Status != desk.IncomingRecorded || r.Reason != "empty" || r.Ticket != n {
		t.Errorf("a reply without text: %+v", r)
	}
	if after := o.record(n); after.LastCommand != before.LastCommand {
		t.Errorf("the ticket has accepted command %d", after.LastCommand)
	}
}

func TestIncomingMails_aBounceSaysWhetherTheAddressWorks(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	for name, c := range map[string]struct{ change, want string }{
		"hard": {"", "5.1.1 smtp; 550 no such user (the address does not work)"},
		"soft": {"4.2.2", "4.2.2 smtp; 550 no such user (the address itself may work)"},
	} {
		n := o.opened()
		raw := bounceOf(o.messageID(n, 1, true), "carla@client.example")
		if c.change != "" {
			raw = strings.ReplaceAll(raw, "5.1.1", c.change)
		}
		o.processRaw(raw, "", "support@desk.example")
		h, err := o.History(t.Context(), n)
		if err != nil || !slices.ContainsFunc(h.Mails, func(m desk.Posted) bool { return m.Reason == c.want }) {
			t.Errorf("%s: %+v, %v; want %q", name, h.Mails, err, c.want)
		}
	}
}

func TestIncomingMails_aBounceIsRecordedWithTheMailAlsoOfAClosedTicket(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	if _, err := o.tickets.Send(t.Context(), o.agent, desk.Request{Number: n, Verb: ticket.VerbClose}); err != nil {
		t.Fatal(err)
	}
	o.step(n)
	if r := o.processRaw(bounceOf("<"+strings.ToLower(string(n))+".1.m0123456789abcdef@desk.example>", "carla@client.example"), "", "support@desk.example"); r.Ticket != "" {
		t.Errorf("a forged bounce: %+v", r)
	}
	if r := o.processRaw(bounceOf(o.messageID(n, 1, true), "carla@client.example"), "", "support@desk.example"); r.Status != desk.IncomingRecorded || r.Ticket != n {
		t.Errorf("%+v", r)
	}
	said := o.said(n)
	if len(said) != 2 || !strings.HasPrefix(said[1], "mail-bounced") || !slices.Contains(o.signaled, n) {
		t.Errorf("%q, signaled %v", said, o.signaled)
	}
}

// receipts returns the tickets of those that were opened by mails whose requester is sent a receipt.
func (o *office) receipts(opened []ticket.Number) (n int) {
	o.t.Helper()
	for _, number := range opened {
		if m, err := o.Mail(o.t.Context(), number, 1); err == nil && m.Data.Kind == ticket.MailReceipt {
			n++
		}
	}
	return n
}

func (o *office) open(letters ...letter) (opened []ticket.Number) {
	o.t.Helper()
	for _, l := range letters {
		r := o.process(l)
		if r.Status != desk.IncomingAccepted {
			o.t.Fatalf("%+v", r)
		}
		opened = append(opened, r.Ticket)
	}
	return opened
}

func TestIncomingMails_aRushOfOneSenderIsSentFiveReceiptsAnHour(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	var rush []letter
	for i := range 30 {
		rush = append(rush, letter{from: "Carla Customer <carla@client.example>", subject: fmt.Sprint("Parcel ", i), body: "It is late."})
	}
	opened := o.open(rush...)
	if got := o.receipts(opened); got != 5 {
		t.Errorf("%d receipts", got)
	}
	entries, err := o.Timeline(t.Context(), o.agent, opened[29])
	if err != nil || !entries[0].Quiet {
		t.Errorf("%+v, %v", entries, err)
	}
	if other := o.open(letter{from: "Sam Stranger <sam@elsewhere.example>", subject: "Hello", body: "Hello."}); o.receipts(other) != 1 {
		t.Error("another sender is sent none")
	}
}

func TestIncomingMails_twoDesksThatAnswerEachOtherStopAfterTwo(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	subject := "A question"
	var opened []ticket.Number
	for range 6 {
		n := o.open(letter{from: "Another Desk <help@other.example>", subject: subject, body: "We have received your request."})[0]
		opened = append(opened, n)
		subject = "[#4711] Received: [" + string(n) + "] " + subject
	}
	if got := o.receipts(opened); got != 2 {
		t.Errorf("%d receipts", got)
	}
}

func TestIncomingMails_whatMayBeAMachinesOpensATicketWithoutAReceipt(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	opened := o.open(
		letter{from: "Shop <no-reply@shop.example>", subject: "Your order", body: "It was sent."},
		letter{from: "Carla Customer <carla@client.example>", subject: "My parcel", body: "It is late.", headers: []string{"X-Auto-Response-Suppress: All"}},
	)
	if got := o.receipts(opened); got != 0 {
		t.Errorf("%d receipts", got)
	}
}

func TestMail_quotesTheLatestMessageOfACustomerAndHasTheAgentsSignature(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	requester := o.record(n).Requester.ID
	o.process(letter{from: "Col League <col@client.example>", to: o.token(n, requester, false), subject: "Re", body: "I packed it."})
	if err := o.Accounts().Sign(t.Context(), o.agent.ID, "Parcels\nDesk"); err != nil {
		t.Fatal(err)
	}
	for _, r := range []desk.Request{{Verb: ticket.VerbNote, Body: "A note."}, {Verb: ticket.VerbAgentReply, Body: "It is found."}} {
		r.Number = n
		if _, err := o.tickets.Send(t.Context(), o.agent, r); err != nil {
			t.Fatal(err)
		}
	}
	o.step(n)
	own := map[ticket.PersonID]bool{}
	for mailN := 1; ; mailN++ {
		m, err := o.Mail(t.Context(), n, mailN)
		if err != nil {
			break
		}
		if d := m.Data; d.Kind == ticket.MailReply {
			own[m.Person] = d.Quoted.Own
			if d.Quoted.Body != "I packed it." || d.Quoted.Format != desk.FormatText || d.Quoted.Author != "Col League" || d.Quoted.At.IsZero() || d.Signature != "Parcels\nDesk" {
				t.Errorf("%+v, signature %q", d.Quoted, d.Signature)
			}
		}
	}
	if len(own) != 2 || own[requester] {
		t.Errorf("whose message it is: %v", own)
	}
}

// bounceOf returns a bounce of the mail with a Message-ID for a recipient.
func bounceOf(id, recipient string) string {
	return "From: MAILER-DAEMON@mx.example\r\nTo: support@desk.example\r\nSubject: Undelivered\r\n" +
		"Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\n\r\nNo such user.\r\n" +
		"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n" +
		"Final-Recipient: rfc822; " + recipient + "\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 no such user\r\n\r\n" +
		"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: " + id + "\r\nTo: " + recipient + "\r\n\r\n--b--\r\n"
}

func TestIncomingMails_messagesAreWhatTheirMailsAre(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	const signature = "\n--b\nContent-Type: application/pgp-signature; name=signature.asc\n\nx\n--b--\n"
	for name, c := range map[string]struct {
		letter
		want desk.MailTraits
	}{
		"plain":     {letter{body: "Words."}, desk.MailTraits{}},
		"signed":    {letter{headers: []string{"Content-Type: multipart/signed; boundary=b"}, body: "--b\n\nWords.\n" + signature}, desk.MailTraits{Signed: true}},
		"encrypted": {letter{body: "-----BEGIN PGP MESSAGE-----\n\nx\n-----END PGP MESSAGE-----\n"}, desk.MailTraits{Encrypted: true}},
		"cancelled": {letter{headers: []string{"Content-Type: text/calendar"}, body: "BEGIN:VCALENDAR\nMETHOD:CANCEL\nBEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\nEND:VCALENDAR\n"}, desk.MailTraits{Calendar: desk.CalendarCancel}},
		"event":     {letter{headers: []string{"Content-Type: text/calendar"}, body: "BEGIN:VCALENDAR\nMETHOD:X-OTHER\nBEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\nEND:VCALENDAR\n"}, desk.MailTraits{}},
	} {
		c.from, c.subject = "Carla Customer <carla@client.example>", name
		r := o.process(c.letter)
		entries, err := o.Timeline(t.Context(), o.agent, r.Ticket)
		if err != nil || len(entries) == 0 || entries[0].Traits != c.want {
			t.Errorf("%s: %+v, %+v, %v", name, r, entries, err)
		}
	}
}
