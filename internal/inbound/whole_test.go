package inbound_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/inbound"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// conversation is a ticket of Carla with Col as a participant.
type conversation struct {
	*office
	n          ticket.Number
	carla, col desk.Person
	to         string // the address at which Carla replies
}

func openConversation(t *testing.T) conversation {
	t.Helper()
	o := openOffice(t)
	c := conversation{office: o, n: o.opened()}
	c.to = o.token(c.n, o.record(c.n).Requester.ID, false)
	o.process(letter{from: "Col League <col@client.example>", to: c.to, subject: "Re", body: "I packed it."})
	for address, p := range map[string]*desk.Person{"carla@client.example": &c.carla, "col@client.example": &c.col} {
		var err error
		if *p, err = o.PersonByAddress(t.Context(), address); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

// last returns what the other customer of the ticket sees of its last entry.
func (c *conversation) last() desk.Entry {
	c.t.Helper()
	entries, err := c.tickets.Timeline(c.t.Context(), c.col, c.n)
	if err != nil || len(entries) == 0 {
		c.t.Fatal(entries, err)
	}
	return entries[len(entries)-1]
}

func (c *conversation) link() string {
	c.t.Helper()
	token, err := c.ConversationLink(c.t.Context(), c.n, c.carla.ID, time.Now())
	if err != nil {
		c.t.Fatal(err)
	}
	return "https://help.desk.example/c/" + token
}

// file returns the content of a file as the other customer gets it.
func (c *conversation) file(id desk.FileID) string {
	c.t.Helper()
	f, err := app.NewFiles(c, c.blobs, desk.FileLimits{}).Open(c.t.Context(), c.col, id)
	if err != nil {
		c.t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	content, err := io.ReadAll(f)
	if err != nil {
		c.t.Fatal(err)
	}
	return string(content)
}

// Whatever surrounds what a customer wrote, all of it is on the ticket, without what is their own.
func TestIncomingMails_anAnswerIsKeptWhole(t *testing.T) {
	t.Parallel()
	c := openConversation(t)
	page := c.link()
	const wrote = "On Mon, 23 Nov 2026 at 10:00, Support <support@desk.example> wrote:\n"
	quoted := "> We have found it.\n> Open the conversation: " + page + "\n> Reply to " + c.to + "\n"
	html := []string{"Content-Type: text/html; charset=utf-8"}
	for name, l := range map[string]struct {
		letter
		want []string // of the text or the HTML
	}{
		"a number above an introduction":     {letter{body: "Hi, my order number is 4711.\n\nHolesalemart Support <support@desk.example> wrote:\n" + quoted}, []string{"4711", "> We have found it."}},
		"a colon above an introduction":      {letter{body: "Please call me: 555-1234\n\nHolesalemart Support wrote:\n" + quoted}, []string{"555-1234"}},
		"below an original message":          {letter{body: "-----Original Message-----\nFrom: support@desk.example\n\nWe have found it.\n" + page + "\n\nOWNWORDS are at the bottom.\n"}, []string{"OWNWORDS", "We have found it."}},
		"in a quotation of HTML":             {letter{body: `<p>see below in red</p><blockquote type="cite"><p>Where?</p><p><font color="red">REDANSWER</font></p><a href="` + page + `">Open</a></blockquote>`, headers: html}, []string{"see below in red", "REDANSWER", "Where?"}},
		"a signature above a quotation":      {letter{body: "Thanks.\n\n-- \nCarla, phone 555-9876\n\n" + wrote + quoted}, []string{"Thanks.", "555-9876"}},
		"answers between quoted lines":       {letter{body: wrote + "> What color?\nRed.\n> What size?\nLarge.\n" + quoted}, []string{"What color?", "Red.", "What size?", "Large."}},
		"a line of one's own in a quotation": {letter{body: wrote + "> What color?\n> RED OF COURSE\n" + quoted}, []string{"RED OF COURSE"}},
	} {
		l.from, l.to, l.subject = carla, c.to, "Re: "+name
		if r := c.process(l.letter); r.Status != desk.IncomingAccepted || r.Ticket != c.n {
			t.Errorf("%s: %+v", name, r)
			continue
		}
		e := c.last()
		for _, want := range l.want {
			if !strings.Contains(e.Body, want) || e.HTML != "" && !strings.Contains(e.HTML, want) {
				t.Errorf("%s: %q is not in %q, HTML %q", name, want, e.Body, e.HTML)
			}
		}
		for _, secret := range []string{page[30:], c.to[8:40]} {
			if remains(e.Body+e.HTML, secret) {
				t.Errorf("%s: %q is shown: %q, HTML %q", name, secret, e.Body, e.HTML)
			}
		}
	}
}

func TestIncomingMails_whatStaffWroteAboveAQuotationIsKept(t *testing.T) {
	t.Parallel()
	c := openConversation(t)
	const above, wrote = "internal: she is nice\n\n", "On x, Holesalemart Support <support@desk.example> wrote:\n"
	notification := "> Secret note\n> Open the ticket: https://help.desk.example/desk/tickets/" + string(c.n) + "\n"
	note := letter{from: "Anna Agent <anna@staff.example>", to: c.token(c.n, c.agent.ID, false), subject: "Re", body: above + wrote + notification}
	if r := c.process(note); r.Status != desk.IncomingAccepted {
		t.Fatalf("%+v", r)
	}
	if said := c.said(c.n); !strings.Contains(said[len(said)-1], "internal: she is nice") || !strings.Contains(said[len(said)-1], "> Secret note") {
		t.Errorf("the note is %q", said[len(said)-1])
	}
	if e := c.last(); strings.Contains(e.Body, "she is nice") {
		t.Error("the customer sees the note")
	}
	answer := note
	answer.to, answer.body = c.token(c.n, c.agent.ID, true), "It is found: order 4711.\n\n"+wrote+notification
	if r := c.process(answer); r.Status != desk.IncomingAccepted || strings.TrimSpace(c.last().Body) != "It is found: order 4711." {
		t.Errorf("%+v, the customer sees %q", r, c.last().Body)
	}
	for name, body := range map[string]string{
		"encoded by a gateway": "It is found.\n=====\nhttps://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fhelp.desk.example%2Fdesk%2Ftickets%2F" + string(c.n) + "&data=05\n",
		"without its links":    "It is found.\n=====\nSecret note\nReply to this email\nto add an internal note.\n",
	} {
		answer.body = body
		if r := c.process(answer); r.Status != desk.IncomingQuarantined || r.Reason != desk.ReasonStaffQuotation {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// attached returns a mail with files: each is its header without the last line break, and its content.
func attached(from, to string, files ...[2]string) string {
	var b strings.Builder
	b.WriteString("From: " + from + "\r\nTo: " + to + "\r\nSubject: Re\r\nReceived: from client.example by border.example; Mon, 23 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee the file.\r\n")
	for _, f := range files {
		b.WriteString("--b\r\n" + f[0] + "\r\n\r\n" + f[1] + "\r\n")
	}
	return b.String() + "--b--\r\n"
}

func TestIncomingMails_anAttachedEmailOfTheDeskIsLeftOut(t *testing.T) {
	t.Parallel()
	c := openConversation(t)
	page := c.link()
	original := "From: support@desk.example\r\nSubject: Your parcel\r\nMIME-Version: 1.0\r\n"
	encoded := base64.StdEncoding.EncodeToString([]byte("For you alone: " + page + "\n"))
	utf16 := strings.Join(strings.Split(page, ""), "\x00") + "\x00"
	for name, f := range map[string][2]string{
		"by its header":     {"Content-Type: message/rfc822", original + "X-Supportdesk: support@desk.example\r\n\r\nFor you alone"},
		"by its Message-ID": {"Content-Type: message/rfc822", original + "Message-ID: " + c.messageID(c.n, 1, true) + "\r\n\r\nFor you alone"},
		"by its link":       {"Content-Type: message/rfc822", original + "Content-Transfer-Encoding: base64\r\n\r\n" + encoded},
		"by its address":    {"Content-Type: message/rfc822", original + "Reply-To: " + c.to + "\r\n\r\nFor you alone"},
		"as a file":         {"Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=orig.eml", original + "Content-Transfer-Encoding: base64\r\n\r\n" + encoded},
		"without a name":    {"Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=x.bin", "Received: x\r\nMessage-ID: <a@b>\r\n" + original + "\r\n" + page + " For you alone"},
		"as one of Outlook's": {"Content-Type: application/vnd.ms-outlook\r\nContent-Disposition: attachment; filename=orig.msg\r\nContent-Transfer-Encoding: base64",
			base64.StdEncoding.EncodeToString([]byte("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + utf16 + "For you alone"))},
		"within another": {"Content-Type: message/rfc822", "From: x@y.example\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c\r\nContent-Type: message/rfc822\r\n\r\n" +
			original + "Content-Transfer-Encoding: base64\r\n\r\n" + encoded + "\r\n--c--\r\n"},
	} {
		if r := c.processRaw(attached(carla, c.to, f), "carla@client.example", c.to); r.Status != desk.IncomingAccepted {
			t.Errorf("%s: %+v", name, r)
		}
		e := c.last()
		if len(e.Files) != 0 || e.Body != "See the file." || fmt.Sprint(e.LeftOut) != "[An email from us: it may be for its recipient alone]" {
			t.Errorf("%s: the other customer sees %d files, %q and %q", name, len(e.Files), e.Body, e.LeftOut)
		}
	}
	public := c.token(c.n, c.agent.ID, true)
	r := c.processRaw(attached("Anna Agent <anna@staff.example>", public, [2]string{"Content-Type: message/rfc822", original + "Reply-To: " + public + "\r\n\r\nSecret note"}), "anna@staff.example", public)
	if e := c.last(); r.Status != desk.IncomingAccepted || len(e.Files) != 0 || !strings.HasPrefix(e.Body, "See the file.") {
		t.Errorf("with a notification: %+v, %d files", r, len(e.Files))
	}
	document := "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("A\x00B\x00\x00\x00", 5000)
	c.processRaw(attached(carla, c.to, [2]string{"Content-Type: application/msword; name=a.doc\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64",
		base64.StdEncoding.EncodeToString([]byte(document))}), "carla@client.example", c.to)
	if e := c.last(); len(e.Files) != 1 || c.file(e.Files[0].ID) != document {
		t.Errorf("a document: %+v, %q", e.Files, e.Body)
	}
	kept := [2]string{"Content-Type: message/rfc822", "From: shop@other.example\r\nMessage-ID: <a@other.example>\r\nSubject: Your order\r\n\r\nIt was sent."}
	c.processRaw(attached(carla, c.to, kept), "carla@client.example", c.to)
	if e := c.last(); len(e.Files) != 1 || !strings.Contains(c.file(e.Files[0].ID), "It was sent.") {
		t.Errorf("another mail: %+v", e.Files)
	}
}

func TestIncomingMails_filesThatAreLeftOutAreNamedBesideTheWords(t *testing.T) {
	t.Parallel()
	c := openConversation(t)
	long := "Content-Type: text/csv; name=long.csv\r\nContent-Description: " + strings.Repeat("long ", 190)
	c.processRaw(attached(carla, c.to, [2]string{"Content-Type: image/png; name=void.png\r\nContent-Disposition: attachment", ""}, [2]string{long, "a,b"}), "carla@client.example", c.to)
	if e := c.last(); e.Body != "See the file." || fmt.Sprint(e.LeftOut) != "[void.png: empty]" || len(e.Files) != 1 || e.Files[0].Name != "long.csv" {
		t.Errorf("%q, left out %q, files %+v", e.Body, e.LeftOut, e.Files)
	}
	const file = "Content-Type: application/x-x; name=\"%s\"\r\nContent-Disposition: attachment"
	large := strings.Repeat("0123456789abcde\n", 20<<10) // 320 KiB
	nine := strings.Repeat(large, 29)                    // MiB; the files of a message have 25 MiB
	var many [][2]string
	for i := range 30 {
		many = append(many, [2]string{fmt.Sprintf(file, fmt.Sprint(i, ".bin")), "x"})
	}
	for name, want := range map[string]struct {
		files [][2]string
		taken int
		left  string
	}{
		"one that is too large": {[][2]string{{fmt.Sprintf(file, "../a\u202e.bin"), strings.Repeat(large, 36)}}, 0, "[a.bin: larger than 10 MiB]"},
		"one without a name":    {[][2]string{{"Content-Type: application/x-x\r\nContent-Disposition: attachment", ""}}, 0, "[A file without a name: empty]"},
		"too many bytes together": {[][2]string{{fmt.Sprintf(file, "a.bin"), nine}, {fmt.Sprintf(file, "b.bin"), nine}, {fmt.Sprintf(file, "c.bin"), nine}, {fmt.Sprintf(file, "d.bin"), "x"}}, 3,
			"[c.bin: the files of a message have at most 25 MiB]"},
		"more than anyone reads": {many, 10, "[10.bin: a message has at most 10 files"},
	} {
		raw := attached(carla, c.to, want.files...)
		c.receiver = inbound.NewReceiver(c.blobs, c, 64<<20)
		if r := c.processRaw(raw, "carla@client.example", c.to); r.Status != desk.IncomingAccepted {
			t.Errorf("%s: %+v", name, r)
		}
		e := c.last()
		if e.Body != "See the file." || len(e.Files) != want.taken || !strings.HasPrefix(fmt.Sprint(e.LeftOut), want.left) || len(e.LeftOut) > 11 {
			t.Errorf("%s: %q, %d files, left out %q", name, e.Body, len(e.Files), e.LeftOut)
		}
	}
	// What was left out is said of a mail with nothing else, too.
	alone := strings.Replace(attached(carla, c.to, [2]string{fmt.Sprintf(file, "void.png"), ""}), "See the file.", "", 1)
	if r := c.processRaw(alone, "carla@client.example", c.to); r.Status != desk.IncomingAccepted || c.last().Body != "" || fmt.Sprint(c.last().LeftOut) != "[void.png: empty]" {
		t.Errorf("a file alone: %+v, %+v", r, c.last())
	}
	// Those whom the mail concerns read it, too.
	r := c.processRaw(attached(carla, "support@desk.example", [2]string{fmt.Sprintf(file, "void.png"), ""}), "carla@client.example", "support@desk.example")
	if m, err := c.Mail(t.Context(), r.Ticket, 1); err != nil || fmt.Sprint(m.Data.LeftOut) != "[void.png: empty]" {
		t.Errorf("the receipt: %+v, %v", m.Data.LeftOut, err)
	}
}

// A mail to everyone of a ticket quotes no message that one person alone may see: their answers quote it in turn.
func TestMail_quotesNoMessageForOnePersonAlone(t *testing.T) {
	t.Parallel()
	c := openConversation(t)
	c.process(letter{from: carla, to: c.to, subject: "Re", body: "My PIN is 1234."})
	conn, err := pgx.Connect(t.Context(), c.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	if _, err := conn.Exec(t.Context(), `SET session_replication_role = replica`); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `UPDATE events SET data = data || jsonb_build_object('only', $2::text)
		WHERE ticket = $1 AND n = (SELECT max(n) FROM events WHERE ticket = $1 AND kind = 'customer-replied')`, c.n, c.carla.ID); err != nil {
		t.Fatal(err)
	}
	for _, r := range []desk.Request{{Verb: ticket.VerbAgentReply, Body: "To all."}, {Verb: ticket.VerbAgentReply, Body: "To you.", Alone: true}} {
		r.Number = c.n
		if _, err := c.tickets.Send(t.Context(), c.agent, r); err != nil {
			t.Fatal(err)
		}
	}
	c.step(c.n)
	all, alone := 0, 0
	for n := 1; ; n++ {
		m, err := c.Mail(t.Context(), c.n, n)
		if err != nil {
			break
		}
		switch {
		case m.Data.Body == "To all.":
			if all++; m.Data.Quoted.Body != "I packed it." {
				t.Errorf("a mail to all quotes %q", m.Data.Quoted.Body)
			}
		case m.Data.Body == "To you.":
			if alone++; m.Data.Quoted.Body != "My PIN is 1234." {
				t.Errorf("a mail to the requester alone quotes %q", m.Data.Quoted.Body)
			}
		}
	}
	if all != 2 || alone != 1 {
		t.Errorf("%d mails to all, %d to the requester alone", all, alone)
	}
}
