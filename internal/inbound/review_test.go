package inbound_test

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/inbound"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func (o *office) review() *app.IncomingReview {
	return app.NewIncomingReview(o, o, o.blobs, inbound.NewViewer(o.blobs, o.TokenSecrets, "https://help.desk.example", inbound.Addresses{"support@desk.example": ""}))
}

func (o *office) employ(role ticket.Role, name string) desk.Person {
	o.t.Helper()
	p, err := o.AddPerson(o.t.Context(), desk.Person{Role: role, Name: name, Address: strings.ToLower(name) + "@people.example"})
	if err != nil {
		o.t.Fatal(err)
	}
	return p
}

// reprocess processes the oldest mail that waits.
func (o *office) reprocess() desk.IncomingResult {
	o.t.Helper()
	m, found, err := o.ClaimIncoming(o.t.Context(), "attempt", time.Minute)
	if err != nil || !found {
		o.t.Fatal(found, err)
	}
	r, err := o.mails.Process(o.t.Context(), m)
	if err != nil {
		o.t.Fatal(err)
	}
	if err := o.SettleIncoming(o.t.Context(), m.ID, "attempt", r); err != nil {
		o.t.Fatal(err)
	}
	return r
}

// audited returns the details of security events of a kind.
func (o *office) audited(kind account.EventKind) (all []string) {
	o.t.Helper()
	events, _, err := o.Accounts().Events(o.t.Context(), account.EventFilter{Kind: kind, Limit: 10})
	if err != nil {
		o.t.Fatal(err)
	}
	for _, e := range events {
		all = append(all, e.Actor.Name+": "+e.Detail)
	}
	return all
}

const carla = "Carla Customer <carla@client.example>"

func failing() letter {
	return letter{from: carla, subject: "My parcel", body: "It is late.", headers: []string{
		"Authentication-Results: border.example; dmarc=fail header.from=client.example",
	}}
}

func TestReview_aReleasedMailBecomesWhatItsSenderWrote(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	if err := o.Block(t.Context(), o.agent.ID, "@spam.example", true); err != nil {
		t.Fatal(err)
	}
	to := o.token(n, o.record(n).Requester.ID, false)
	forged := failing()
	forged.to = to
	for name, l := range map[string]letter{
		"forged":  forged,
		"machine": {from: carla, to: to, subject: "Re", body: "It is late.", headers: []string{"Auto-Submitted: auto-replied"}},
		"blocked": {from: "Sid <sid@spam.example>", to: to, subject: "Re", body: "It is late."},
	} {
		before := len(o.said(n))
		if r := o.process(l); r.Status == desk.IncomingAccepted {
			t.Fatalf("%s: %+v", name, r)
		}
		if err := o.review().Release(t.Context(), o.agent, o.processed.ID); err != nil {
			t.Fatal(name, err)
		}
		if r := o.reprocess(); r.Status != desk.IncomingAccepted || r.Ticket != n {
			t.Errorf("%s: %+v", name, r)
		}
		o.step(n)
		if said := o.said(n); len(said) == before || !strings.HasSuffix(said[len(said)-1], ": It is late.") {
			t.Errorf("%s: %q", name, said)
		}
		m, _, err := o.review().Mail(t.Context(), o.agent, o.processed.ID)
		if err != nil || m.SettledBy.Name != "Anna Agent" || m.Settled.IsZero() {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
	if all := o.audited(account.EventMailReleased); len(all) != 3 || !strings.HasPrefix(all[0], "Anna Agent: email ") {
		t.Errorf("audited: %q", all)
	}
	if err := o.review().Release(t.Context(), o.agent, o.processed.ID); fault.KindOf(err) != fault.Conflict {
		t.Errorf("released twice: %v", err)
	}
}

func TestReview_aMailThatWouldComeBackIsNotReleased(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	n := o.opened()
	anna := "Anna Agent <anna@staff.example>"
	if _, err := o.tickets.Send(t.Context(), o.agent, desk.Request{Number: n, Verb: ticket.VerbClose}); err != nil {
		t.Fatal(err)
	}
	open := o.opened()
	o.step(n)
	stranger := o.record(o.process(letter{from: "Zoe <zoe@elsewhere.example>", subject: "Mine", body: "Where is it?"}).Ticket).Requester.ID
	for reason, l := range map[string]letter{
		desk.ReasonStaffNoCustomer: {from: anna, subject: "[" + string(n) + "]", body: "Without a token."},
		desk.ReasonStaffOther:      {from: anna, subject: "Re", body: "To an address that belongs to no one of the ticket.", to: o.token(open, stranger, true)},
		desk.ReasonStaffClosed:     {from: anna, subject: "Re", body: "To a closed ticket.", to: o.token(n, o.agent.ID, false)},
		desk.ReasonOwn:             {from: "support@desk.example", subject: "Re", body: "From here."},
		desk.ReasonNoSender:        {from: "Nobody", subject: "Re", body: "From nowhere."},
		desk.ReasonEmpty:           {from: anna, subject: "Re", body: "", to: o.token(open, o.agent.ID, true)},
	} {
		if r := o.process(l); r.Reason != reason {
			t.Errorf("%s: %+v", reason, r)
			continue
		}
		if err := o.review().Release(t.Context(), o.agent, o.processed.ID); fault.KindOf(err) != fault.Conflict || !strings.HasPrefix(err.Error(), "this email would return to where it is. ") {
			t.Errorf("%s: %v", reason, err)
		}
		// It would: what is processed again as released is not accepted.
		if err := o.ReleaseIncoming(t.Context(), o.agent.ID, o.processed.ID); err != nil {
			t.Fatal(err)
		}
		if r := o.reprocess(); r.Reason != reason {
			t.Errorf("%s: released, it becomes %+v", reason, r)
		}
	}
}

func TestReview_ofADeletedMailWhoAndWhenRemains(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.process(failing())
	id, key := o.processed.ID, o.processed.Blob
	supervisor := o.employ(ticket.RoleSupervisor, "Sue")
	if err := o.review().Delete(t.Context(), o.agent, id); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("an agent deleted it: %v", err)
	}
	if err := o.review().Delete(t.Context(), supervisor, id); err != nil {
		t.Fatal(err)
	}
	if _, _, err := o.blobs.Open(t.Context(), key); fault.KindOf(err) != fault.NotFound {
		t.Errorf("its content is there: %v", err)
	}
	m, c, err := o.review().Mail(t.Context(), o.agent, id)
	if err != nil || m.Status != desk.IncomingDeleted || m.SettledBy.Name != "Sue" || m.Settled.IsZero() || c.Text != "" || m.Sender != "carla@client.example" {
		t.Errorf("%+v %+v, %v", m, c, err)
	}
	if _, err := o.review().Raw(t.Context(), supervisor, id); fault.KindOf(err) != fault.NotFound {
		t.Errorf("raw: %v", err)
	}
	for what, err := range map[string]error{
		"released": o.review().Release(t.Context(), supervisor, id), "deleted again": o.review().Delete(t.Context(), supervisor, id),
	} {
		if fault.KindOf(err) != fault.Conflict {
			t.Errorf("%s: %v", what, err)
		}
	}
	o.opened()
	if err := o.review().Delete(t.Context(), supervisor, o.processed.ID); fault.KindOf(err) != fault.Conflict {
		t.Errorf("the mail of a ticket was deleted: %v", err)
	}
	if all := o.audited(account.EventMailDeleted); len(all) != 1 {
		t.Errorf("audited: %q", all)
	}
}

func TestReview_readsWhatIsShownAndTheMailItself(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	raw := "Authentication-Results: border.example; dmarc=fail header.from=client.example\r\n" +
		"Received: from client.example by border.example; Mon, 23 Nov 2026 10:00:00 +0000\r\nFrom: Carla <carla@client.example>\r\nTo: support@desk.example\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nX-Odd: \xff\r\n" +
		"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n" +
		"<p onclick=x()>Hello<script>alert(1)</script><img src=\"http://spy.example/i.png\"></p>\r\n" +
		"--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=\"../../a\u202e.pdf\"\r\n\r\n12345\r\n--b--\r\n"
	o.processRaw(raw, "carla@client.example", "support@desk.example")
	id := o.processed.ID
	m, c, err := o.review().Mail(t.Context(), o.agent, id)
	if err != nil {
		t.Fatal(err)
	}
	if m.Reason != "sender-not-authenticated" || m.Trust != desk.TrustFail || m.Subject != "Grüße" {
		t.Errorf("%+v", m)
	}
	if !strings.Contains(c.Headers, "X-Odd: \uFFFD") || strings.Contains(c.Headers, "Hello") {
		t.Errorf("headers: %q", c.Headers)
	}
	if strings.Contains(c.HTML, "script") || strings.Contains(c.HTML, "onclick") || strings.Contains(c.HTML, ` src="http`) || !strings.Contains(c.HTML, "Hello") {
		t.Errorf("HTML: %q", c.HTML)
	}
	if len(c.Files) != 1 || c.Files[0].Size != 5 || strings.ContainsAny(c.Files[0].Name, "/\u202e") {
		t.Errorf("files: %+v", c.Files)
	}
	if _, err := o.review().Raw(t.Context(), o.agent, id); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("an agent reads the original: %v", err)
	}
	r, err := o.review().Raw(t.Context(), o.employ(ticket.RoleSupervisor, "Sue"), id)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if all, err := io.ReadAll(r); string(all) != raw || err != nil || r.Size != int64(len(raw)) {
		t.Errorf("raw: %d bytes of %d, %v", len(all), len(raw), err)
	}
}

func TestReview_listsByStatusAndPage(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	var ids []int64
	for i := range 3 {
		l := failing()
		l.body = strings.Repeat("x", i+1)
		o.process(l)
		ids = append([]int64{o.processed.ID}, ids...)
	}
	o.opened()
	var listed []int64
	for before, more := int64(0), true; more; before = listed[len(listed)-1] {
		var page []desk.IncomingMail
		var err error
		if page, more, err = o.review().List(t.Context(), o.agent, desk.IncomingFilter{Status: desk.IncomingQuarantined, Before: before, Limit: 2}); err != nil {
			t.Fatal(err)
		}
		for _, m := range page {
			listed = append(listed, m.ID)
		}
	}
	if !slices.Equal(listed, ids) {
		t.Errorf("listed %v of %v", listed, ids)
	}
	if n, err := app.NewWorkspace(o).Quarantined(t.Context(), o.agent); n != 3 || err != nil {
		t.Errorf("%d in quarantine, %v", n, err)
	}
}

func TestReview_supervisorsBlockSenders(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	supervisor := o.employ(ticket.RoleSupervisor, "Sue")
	if err := o.review().Block(t.Context(), o.agent, "carla@client.example"); fault.KindOf(err) != fault.Forbidden {
		t.Errorf("an agent: %v", err)
	}
	for _, sender := range []string{"", "carla", "@", "@@client.example", "a b@client.example", "@a b"} {
		if err := o.review().Block(t.Context(), supervisor, sender); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%q: %v", sender, err)
		}
	}
	for range 2 {
		if err := o.review().Block(t.Context(), supervisor, " Carla@Client.example"); err != nil {
			t.Fatal(err)
		}
	}
	if r := o.process(letter{from: carla, subject: "a", body: "b"}); r.Reason != "sender-blocked" {
		t.Errorf("%+v", r)
	}
	if all, err := o.review().Blocked(t.Context(), supervisor); err != nil || len(all) != 1 || all[0].By.Name != "Sue" || all[0].Sender != "carla@client.example" {
		t.Errorf("%+v, %v", all, err)
	}
	if err := o.review().Unblock(t.Context(), supervisor, "CARLA@client.example"); err != nil {
		t.Fatal(err)
	}
	o.opened()
	if all := append(o.audited(account.EventSenderBlocked), o.audited(account.EventSenderUnblocked)...); !slices.Equal(all, []string{"Sue: carla@client.example", "Sue: carla@client.example"}) {
		t.Errorf("audited: %q", all)
	}
}

func TestReview_isForStaff(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	o.process(failing())
	id, customer := o.processed.ID, o.employ(ticket.RoleCustomer, "Carl")
	ctx, r := t.Context(), o.review()
	_, _, list := r.List(ctx, customer, desk.IncomingFilter{Status: desk.IncomingQuarantined, Limit: 1})
	_, count := app.NewWorkspace(o).Quarantined(ctx, customer)
	_, _, read := r.Mail(ctx, customer, id)
	_, raw := r.Raw(ctx, customer, id)
	_, blocked := r.Blocked(ctx, customer)
	for i, err := range []error{list, count, read, raw, blocked, r.Release(ctx, customer, id), r.Delete(ctx, customer, id), r.Block(ctx, customer, "a@b.example"), r.Unblock(ctx, customer, "a@b.example")} {
		if fault.KindOf(err) != fault.Forbidden {
			t.Errorf("%d: %v", i, err)
		}
	}
}
