package inbound_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/inbound"
	"github.com/holesalemart/supportdesk/internal/inbound/trust"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestProcessor_anAttemptEndsAndCounts(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	id := o.receive(carla, "support@desk.example", "It is late.")
	var attempts []int
	m := o.runFor(50*time.Millisecond, id, func(ctx context.Context, m desk.IncomingMail) (desk.IncomingResult, error) {
		if attempts = append(attempts, m.Attempts); len(attempts) == 1 {
			<-ctx.Done() // as a neighbour that never answers
			return desk.IncomingResult{}, fault.Wrap(ctx.Err(), fault.Unavailable, "no answer")
		}
		return desk.IncomingResult{Status: desk.IncomingRecorded}, nil
	})
	if m.Status != desk.IncomingRecorded || fmt.Sprint(attempts) != "[1 2]" {
		t.Errorf("%+v after attempts %v", m, attempts)
	}
}

func TestProcessor_forgetsPausesOfMailsThatOthersSettled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := inbound.NewProcessor(nil, nil, nil)
		for _, want := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second} {
			if got := p.Defer(1, errors.New("x")); got != want {
				t.Errorf("a pause of %s, want %s", got, want)
			}
		}
		time.Sleep(2 * time.Hour)
		p.Defer(2, errors.New("x"))
		if n := p.Deferred(); n != 1 {
			t.Errorf("%d pauses are kept", n)
		}
	})
}

// Many mails that wait because their sender wrote too much are not all read again every minute.
func TestProcessor_pausesLongerForASenderWhoWroteTooMuch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := inbound.NewProcessor(nil, nil, nil)
		for err, want := range map[error]time.Duration{
			fault.New(fault.Limited, "too much"): 15 * time.Minute, fault.New(fault.Unavailable, "away"): time.Minute,
		} {
			var last time.Duration
			for range 20 {
				last = p.Defer(1, err)
			}
			if last != want {
				t.Errorf("after %v the pause grows to %s, want %s", err, last, want)
			}
		}
	})
}

// A mail that waits because its sender wrote too much is read again and again.
func TestAllowance_aMailThatWaitsStoresNoFilesAndUploadsAreNotSpent(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	limited, err := store.Open(t.Context(), o.dsn, store.Options{MaxConns: 4, Allowances: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(limited.Close)
	addresses := inbound.Addresses{"support@desk.example": ""}
	reader := inbound.NewReader(o.blobs, app.NewFiles(limited, o.blobs, desk.FileLimits{Size: 1 << 20, Count: 10, Total: 1 << 20}),
		trust.New(trust.Options{AuthServID: "border.example"}), inbound.ReaderOptions{Addresses: addresses, Website: "https://help.desk.example", Secrets: o.TokenSecrets})
	mails := app.NewIncomingMails(app.IncomingPorts{Reader: reader, Directory: limited, Addresses: addresses.Find, Bounces: limited, Workflows: o},
		app.NewTickets(limited, limited, limited, nil, desktest.NoRelay{}), o.steps)
	const files = 10
	letter := func() string {
		var b strings.Builder
		fmt.Fprintf(&b, "From: %s\r\nSubject: Pictures %d\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n", carla, time.Now().UnixNano())
		for i := range files {
			fmt.Fprintf(&b, "--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=%d.txt\r\n\r\nfile %d\r\n", i, i)
		}
		return b.String() + "--b--\r\n"
	}
	accepted := 0
	for {
		if _, err := o.receiver.Receive(t.Context(), desk.Envelope{Source: desk.SourceLMTP, ReturnPath: "carla@client.example", Recipients: []string{"support@desk.example"}}, strings.NewReader(letter())); err != nil {
			t.Fatal(err)
		}
		m, found, err := o.ClaimIncoming(t.Context(), "attempt", time.Minute)
		if err != nil || !found {
			t.Fatal(found, err)
		}
		r, err := mails.Process(t.Context(), m)
		if err != nil {
			for range 3 {
				if _, err = mails.Process(t.Context(), m); fault.KindOf(err) != fault.Limited || !strings.Contains(err.Error(), "you have sent too much") {
					t.Fatal(err)
				}
			}
			break
		}
		if err := o.SettleIncoming(t.Context(), m.ID, "attempt", r); err != nil {
			t.Fatal(err)
		}
		if accepted++; accepted > 100 {
			t.Fatal("nothing limits mails")
		}
	}
	stored, err := o.FileBlobs(t.Context(), "", 5000)
	if err != nil || accepted < 20 || len(stored) != accepted*files {
		t.Errorf("%d files are stored of %d mails with %d each; %v", len(stored), accepted, files, err)
	}

	// Anyone may have written these in her name, so they hinder neither what she does on the website nor emails that are hers.
	person, err := o.PersonByAddress(t.Context(), "carla@client.example")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app.NewTickets(limited, limited, limited, nil, desktest.NoRelay{}).Submit(t.Context(), person, desk.Submission{Subject: "By the website", Body: "Hello."}); err != nil {
		t.Errorf("on the website: %v", err)
	}
	hers := "Authentication-Results: border.example; dmarc=pass header.from=client.example\r\nReceived: from client.example by border.example; Mon, 23 Nov 2026 10:00:00 +0000\r\n" + letter()
	if _, err := o.receiver.Receive(t.Context(), desk.Envelope{Source: desk.SourceLMTP, ReturnPath: "other@client.example", Recipients: []string{"support@desk.example"}}, strings.NewReader(hers)); err != nil {
		t.Fatal(err)
	}
	m, found, err := o.ClaimIncoming(t.Context(), "attempt", time.Minute)
	if err != nil || !found {
		t.Fatal(found, err)
	}
	if r, err := mails.Process(t.Context(), m); err != nil || r.Status != desk.IncomingAccepted {
		t.Errorf("by an email that is confirmed: %+v, %v", r, err)
	}
}

// The same holds for a reply: files are stored only once its sender may write again.
func TestAllowance_aReplyThatWaitsStoresNoFiles(t *testing.T) {
	t.Parallel()
	c := openConversation(t)
	limited, err := store.Open(t.Context(), c.dsn, store.Options{MaxConns: 4, Allowances: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(limited.Close)
	tickets, by := app.NewTickets(limited, limited, limited, nil, desktest.NoRelay{}), c.carla
	by.Sender = desk.SenderConfirmed
	for i := 0; ; i++ {
		if _, err := tickets.Send(t.Context(), by, desk.Request{Number: c.n, Verb: ticket.VerbCustomerReply, Body: "Hello?", Channel: desk.ChannelEmail}); fault.KindOf(err) == fault.Limited {
			break
		} else if err != nil || i > 1000 {
			t.Fatal(i, err)
		}
	}
	addresses := inbound.Addresses{"support@desk.example": ""}
	reader := inbound.NewReader(c.blobs, app.NewFiles(limited, c.blobs, desk.FileLimits{}), trust.New(trust.Options{AuthServID: "border.example"}),
		inbound.ReaderOptions{Addresses: addresses, Website: "https://help.desk.example", Secrets: c.TokenSecrets})
	mails := app.NewIncomingMails(app.IncomingPorts{Reader: reader, Directory: limited, Addresses: addresses.Find, Bounces: limited, Workflows: c}, tickets, c.steps)
	raw := attached(carla, c.to, [2]string{"Content-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt", "a"})
	if _, err := c.receiver.Receive(t.Context(), desk.Envelope{Source: desk.SourceLMTP, ReturnPath: "carla@client.example", Recipients: []string{c.to}}, strings.NewReader(raw)); err != nil {
		t.Fatal(err)
	}
	m, found, err := c.ClaimIncoming(t.Context(), "attempt", time.Minute)
	if err != nil || !found {
		t.Fatal(found, err)
	}
	if r, err := mails.Process(t.Context(), m); fault.KindOf(err) != fault.Limited {
		t.Errorf("%+v, %v", r, err)
	}
	if stored, err := c.FileBlobs(t.Context(), "", 10); err != nil || len(stored) != 0 {
		t.Errorf("%d files are stored, %v", len(stored), err)
	}
}

// What a report says counts, and what it contains is for supervisors, like in any other mail.
func TestScan_aReportWithAThreatIsQuarantinedAndRecorded(t *testing.T) {
	t.Parallel()
	threat := ""
	o := openOfficeScanning(t, func(context.Context, desk.IncomingMail, io.Reader) (string, error) { return threat, nil })
	n := o.opened()
	threat = "Eicar"
	for want, id := range map[ticket.Number]string{"": "<unknown@desk.example>", n: o.messageID(n, 1, true)} {
		r := o.processRaw(bounceOf(id, "carla@client.example"), "", "support@desk.example")
		if r.Status != desk.IncomingQuarantined || r.Reason != desk.ReasonThreat || r.Ticket != want {
			t.Errorf("%s: %+v", id, r)
		}
		if err := o.review().Release(t.Context(), o.agent, o.processed.ID); fault.KindOf(err) != fault.Forbidden {
			t.Errorf("an agent released it: %v", err)
		}
	}
	if said := o.said(n); len(said) != 2 || !strings.HasPrefix(said[1], "mail-bounced") {
		t.Errorf("the timeline: %q", said)
	}
}

// A mail that the scanner does not accept can be released, and is not scanned again.
func TestScan_aMailThatIsTooLargeIsQuarantinedUntilASupervisorReleasesIt(t *testing.T) {
	t.Parallel()
	scans := 0
	o := openOfficeScanning(t, func(context.Context, desk.IncomingMail, io.Reader) (string, error) {
		scans++
		return "", fault.New(fault.TooLarge, "too large")
	})
	r := o.process(letter{from: carla, subject: "My parcel", body: "It is late."})
	if r.Status != desk.IncomingQuarantined || r.Reason != desk.ReasonThreat || r.Detail != "The email is too large to be scanned." {
		t.Fatalf("%+v", r)
	}
	if err := o.review().Release(t.Context(), o.agent, o.processed.ID); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("an agent released it: %v", err)
	}
	if err := o.review().Release(t.Context(), o.employ(ticket.RoleSupervisor, "Sue"), o.processed.ID); err != nil {
		t.Fatal(err)
	}
	before := scans
	if r := o.reprocess(); r.Status != desk.IncomingAccepted || scans != before {
		t.Errorf("%+v, scanned %d times more", r, scans-before)
	}
}

// Whether anything harmful is in a mail that can't be processed is not known.
func TestReview_aMailThatCrashedIsReleasedBySupervisors(t *testing.T) {
	t.Parallel()
	for reason, want := range map[string]bool{desk.ReasonThreat: false, desk.ReasonCrashed: false, desk.ReasonForged: true, desk.ReasonOwn: false} {
		m := desk.IncomingMail{Status: desk.IncomingQuarantined, Reason: reason}
		if got := m.MayRelease(desk.Person{Role: ticket.RoleAgent}); got != want {
			t.Errorf("%s, by an agent: %t", reason, got)
		}
		if got := m.MayRelease(desk.Person{Role: ticket.RoleSupervisor}); got != (reason != desk.ReasonOwn) {
			t.Errorf("%s, by a supervisor: %t", reason, got)
		}
		m.Status = desk.IncomingAccepted
		if m.MayRelease(desk.Person{Role: ticket.RoleSupervisor}) {
			t.Errorf("%s: accepted, and may be released", reason)
		}
	}
}

// Anyone can write an address into From, and have others receive what is sent to it.
func TestReceipt_goesToAnAddressThatIsProvenOrTheReturnPath(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	proven := []string{"Authentication-Results: border.example; dmarc=pass header.from=client.example"}
	for name, c := range map[string]struct {
		letter letter
		want   int
	}{
		"the return path":         {letter{}, 1},
		"in capitals":             {letter{returnPath: "CARLA@Client.Example"}, 1},
		"another return path":     {letter{returnPath: "mallory@evil.example"}, 0},
		"another one, but proven": {letter{returnPath: "bounces@client.example", headers: proven}, 1},
	} {
		c.letter.from, c.letter.subject, c.letter.body = carla, "Parcel "+name, "It is late."
		if got := o.receipts(o.open(c.letter)); got != c.want {
			t.Errorf("%s: %d receipts", name, got)
		}
	}
}

func TestReview_showsNoLinksAndAddressesOfOthers(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	token := o.token(n, o.record(n).Requester.ID, false)
	secret := token[len("support+") : len(token)-len("@desk.example")]
	raw := "Authentication-Results: border.example; dmarc=fail header.from=client.example\r\n" +
		"Received: from client.example by border.example; Mon, 23 Nov 2026 10:00:00 +0000\r\nDelivered-To: " + token + "\r\nFrom: Carla <carla@client.example>\r\nTo: \"" + token + "\" <" + token + ">\r\n" +
		"Cc: " + strings.ToUpper(token) + "\r\nSubject: " + secretLink + "\r\nX-Link: " + secretLink + "\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n" +
		"--b\r\nContent-Type: text/plain\r\n\r\nHello " + secretLink + " " + token + "\r\n" +
		"--b\r\nContent-Type: text/html\r\n\r\n<p>Hello <a href=\"" + secretLink + "\">" + token + "</a></p>\r\n--b--\r\n"
	if r := o.processRaw(raw, "carla@client.example", token); r.Status != desk.IncomingQuarantined {
		t.Fatalf("%+v", r)
	}
	for _, reader := range []desk.Person{o.agent, o.employ(ticket.RoleSupervisor, "Sue")} {
		m, c, err := o.review().Mail(t.Context(), reader, o.processed.ID)
		if err != nil || !strings.Contains(c.Text, "Hello") || !strings.Contains(c.HTML, "Hello") || !strings.Contains(c.Headers, "X-Link: ") {
			t.Fatalf("%+v %+v, %v", m, c, err)
		}
		page, _, err := o.review().List(t.Context(), reader, desk.IncomingFilter{Status: desk.IncomingQuarantined, Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		shown := strings.ToLower(fmt.Sprintf("%+v %+v %+v", m, c, page))
		for _, hidden := range []string{secret, strings.ToLower(secretLink[30:60])} {
			if at := strings.Index(shown, hidden); at >= 0 {
				t.Errorf("%s is shown: …%s", hidden, shown[max(0, at-60):at+10])
			}
		}
	}
}

func TestIncoming_simultaneousClaimsKeepASendersOrder(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	for round := range 10 {
		first := o.receive(carla, "support@desk.example", fmt.Sprint("One ", round))
		for i := range 7 {
			o.receive(carla, "support@desk.example", fmt.Sprint("More ", round, i))
		}
		var group sync.WaitGroup
		claimed := make([]int64, 8)
		failed := make([]error, 8)
		for i := range claimed {
			group.Go(func() {
				var m desk.IncomingMail
				m, _, failed[i] = o.ClaimIncoming(t.Context(), fmt.Sprint(round, i), time.Hour)
				claimed[i] = m.ID
			})
		}
		group.Wait()
		n := 0
		for _, id := range claimed {
			if id != 0 {
				n++
			}
			if id != 0 && id != first {
				t.Errorf("claimed %d before %d", id, first)
			}
		}
		if err := errors.Join(failed...); n != 1 || err != nil {
			t.Fatalf("%d mails of one sender are claimed: %v", n, err)
		}
		o.sql(`DELETE FROM incoming_mails`)
	}
}

func TestIncoming_aMailEqualToADeletedOneIsProcessed(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	raw := "From: " + carla + "\r\nSubject: My parcel\r\nMessage-ID: <1@client.example>\r\n\r\nIt is late.\r\n"
	receive := func() desk.IncomingMail {
		id, err := o.receiver.Receive(t.Context(), desk.Envelope{Source: desk.SourceLMTP, ReturnPath: "carla@client.example", Recipients: []string{"support@desk.example"}}, strings.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		m, err := o.Incoming(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	first := receive()
	if again := receive(); again.Status != desk.IncomingDuplicate {
		t.Errorf("%+v", again)
	}
	o.sql(`UPDATE incoming_mails SET status = 'quarantined', processed_at = now() WHERE id = $1`, first.ID)
	if err := o.review().Delete(t.Context(), o.employ(ticket.RoleSupervisor, "Sue"), first.ID); err != nil {
		t.Fatal(err)
	}
	if again := receive(); again.Status != desk.IncomingReceived {
		t.Errorf("after it was deleted: %+v", again)
	}
	if again := receive(); again.Status != desk.IncomingDuplicate {
		t.Errorf("once more: %+v", again)
	}
}
