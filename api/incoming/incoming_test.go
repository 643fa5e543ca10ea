package incoming_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	filepages "github.com/holesalemart/supportdesk/api/files"
	"github.com/holesalemart/supportdesk/api/incoming"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/panel"
	"github.com/holesalemart/supportdesk/api/portal"
	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/inbound"
	"github.com/holesalemart/supportdesk/internal/inbound/quote"
	"github.com/holesalemart/supportdesk/internal/markup"
	"github.com/holesalemart/supportdesk/internal/pagetest"
	"github.com/holesalemart/supportdesk/internal/sitetest"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// fixture is a desk with the pages of incoming mail.
type fixture struct {
	*sitetest.Fixture
	t      *testing.T
	server *httptest.Server
	pages  *incoming.Pages
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	o := &fixture{Fixture: sitetest.Open(t, "incoming"), t: t}
	o.Employ("clara", ticket.RoleCustomer, "Clara Customer")
	o.Employ("hubert", ticket.RoleCustomer, "Hubert Blaine Wolfeschlegelsteinhausenbergerdorff")
	o.Employ("noura", ticket.RoleCustomer, "نورة بنت عبد الرحمن")
	o.Employ("anna", ticket.RoleAgent, "Anna Agent")
	o.Employ("sam", ticket.RoleSupervisor, "Sam Supervisor")
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
	o.Start(log)
	review := app.NewIncomingReview(o.Store, o.Store, o.Blobs, inbound.NewViewer(o.Blobs, o.TokenSecrets, "https://help.desk.example", inbound.Addresses{"support@desk.example": ""}))
	o.pages = incoming.New(review)
	o.server = o.Serve(page.Config{Log: log}, "/desk", o.pages.Area(),
		panel.New(o.Desk, o.Workspace, o.Staffing, o.Store, o.Files, o.Outcomes).Area(),
		portal.New(o.Desk, o.Store, app.NewSuggestions(o.Store), o.Store, o.Files, o.Outcomes).Area(), filepages.New(o.Files, o.Store).Area())
	return o
}

const hostile = "From: \"Carla <b>\" <carla@client.example>\r\nTo: support@desk.example\r\nSubject: canary <b>x</b>\r\nMIME-Version: 1.0\r\n" +
	"Content-Type: text/html; charset=utf-8\r\n\r\n<p onclick=\"x()\">canary<script>alert(1)</script><img src=\"http://spy.example/i.png\" width=50 height=50></p>\r\n"

// received stores a mail as it is after it was processed.
func (o *fixture) received(raw string, r desk.IncomingResult, t ...desk.MailTraits) int64 {
	o.t.Helper()
	ctx := o.t.Context()
	e := desk.Envelope{Source: desk.SourceLMTP, ReturnPath: "carla@client.example", Recipients: []string{"support@desk.example"}}
	id, err := inbound.NewReceiver(o.Blobs, o.Store, 1<<20).Receive(ctx, e, strings.NewReader(raw))
	if err != nil {
		o.t.Fatal(err)
	}
	m, found, err := o.ClaimIncoming(ctx, "attempt", time.Minute)
	if err != nil || !found {
		o.t.Fatal(found, err)
	}
	read := desk.ReadMail{IncomingMail: m, From: desk.Mailbox{Address: "carla@client.example"}, Subject: "canary <b>x</b>"}
	read.Trust = desk.TrustFail
	for _, read.Traits = range t {
	}
	if _, err := o.ReadIncoming(ctx, read); err != nil {
		o.t.Fatal(err)
	}
	if err := o.SettleIncoming(ctx, id, "attempt", r); err != nil {
		o.t.Fatal(err)
	}
	return id
}

func (o *fixture) quarantined(reason string) int64 {
	return o.received(hostile+reason, desk.IncomingResult{Status: desk.IncomingQuarantined, Reason: reason, Detail: "canary <i>detail</i>"})
}

// browser is a client of a person, or of a visitor.
type browser struct {
	*sitetest.Browser
	t *testing.T
}

func (o *fixture) browser(who string) *browser {
	o.t.Helper()
	b := &browser{sitetest.NewBrowser(o.t, o.server.URL), o.t}
	if who != "" {
		b.SignIn(who)
	}
	return b
}

func (b *browser) get(status int, path string) sitetest.Response {
	b.t.Helper()
	return b.ask(status, http.MethodGet, path, nil)
}

func (b *browser) post(status int, path string, form url.Values) sitetest.Response {
	b.t.Helper()
	if form == nil {
		form = url.Values{}
	}
	return b.ask(status, http.MethodPost, path, form)
}

func (b *browser) ask(status int, method, path string, form url.Values) sitetest.Response {
	b.t.Helper()
	r := b.Ask(method, path, form)
	if r.Status != status {
		b.t.Errorf("%s %s: %d, want %d", method, path, r.Status, status)
	}
	return r
}

func path(id int64) string { return fmt.Sprintf("/desk/mail/%d", id) }

func TestPages_showWhatIsInQuarantineAndReleaseIt(t *testing.T) {
	t.Parallel()
	o := newFixture(t)
	id := o.quarantined("sender-not-authenticated")
	anna := o.browser("anna")
	if a := anna.get(http.StatusOK, "/desk/mail"); a.Find(`.mails a[href="`+path(id)+`"]`).Length() != 1 || a.Find(".mails b").Length() != 0 {
		t.Errorf("the list: %s", a.Body)
	}
	a := anna.get(http.StatusOK, path(id))
	for _, shown := range []string{"Sender not authenticated", "canary", "does not confirm this email", "Carla &lt;b&gt;", "Subject: canary &lt;b&gt;"} {
		if !strings.Contains(a.Body, shown) {
			t.Errorf("%q is not shown", shown)
		}
	}
	if a.Find("main script, main [onclick], main .message img, main i").Length() != 0 || strings.Contains(a.Header.Get("Content-Security-Policy"), "http:") {
		t.Errorf("something of the mail is active: %s", a.Body)
	}
	with, _ := a.Find(".remote-images a").Attr("href")
	a = anna.get(http.StatusOK, strings.TrimSuffix(with, "#line-1"))
	if a.Find(`main .message img[src="http://spy.example/i.png"]`).Length() != 1 || !strings.Contains(a.Header.Get("Content-Security-Policy"), "img-src 'self' data: https: http:;") {
		t.Errorf("remote images are not shown when asked for: %s", with)
	}
	anna.get(http.StatusForbidden, path(id)+"/raw")
	if a.Find(`a[href$="/raw"]`).Length() != 0 {
		t.Error("an agent is offered the original")
	}
	sam := o.browser("sam")
	if sam.get(http.StatusOK, path(id)).Find(`a[href$="/raw"]`).Length() != 1 {
		t.Error("a supervisor is not offered the original")
	}
	raw := sam.get(http.StatusOK, path(id)+"/raw")
	if !strings.HasPrefix(raw.Body, hostile) || raw.Header.Get("X-Content-Type-Options") != "nosniff" ||
		!strings.HasPrefix(raw.Header.Get("Content-Disposition"), "attachment; filename=\"email-") || !strings.Contains(raw.Header.Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("raw: %v", raw.Header)
	}
	anna.post(http.StatusForbidden, path(id)+"/deletion", nil)
	if to := anna.post(http.StatusSeeOther, path(id)+"/release", nil).Header.Get("Location"); to != path(id) {
		t.Errorf("released, and sent to %q", to)
	}
	if a := anna.get(http.StatusOK, path(id)); !strings.Contains(a.Body, "Released by <bdi>Anna Agent</bdi>") || a.Find("form[action$=release]").Length() != 0 {
		t.Errorf("a released mail: %s", a.Body)
	}
	anna.post(http.StatusConflict, path(id)+"/release", nil)
	for _, wrong := range []string{"/desk/mail/0", "/desk/mail/x", "/desk/mail/99999999999999999999", "/desk/mail/4711"} {
		anna.get(http.StatusNotFound, wrong)
	}
}

func TestPages_sayWhyAMailCannotBeReleased(t *testing.T) {
	t.Parallel()
	o := newFixture(t)
	sam := o.browser("sam")
	for reason, final := range map[string]bool{
		"no-sender": true, "own-address": true, "empty": true, "staff-address-of-another": true, "staff-ticket-closed": true, "staff-no-customer": true, "staff-quotation": true,
		"answer-to-staff": true, "unreadable": true,
		"staff": false, "staff-unproven": false, "refused": false, "sender-ambiguous": false, "sender-unconfirmed": false, "crashed": false,
	} {
		id := o.quarantined(reason)
		a := sam.get(http.StatusOK, path(id))
		if why := strings.Contains(a.Body, "This email can’t be released"); why != final || (a.Find("form[action$=release]").Length() == 0) != final {
			t.Errorf("%s: says why: %t, want %t", reason, why, final)
		}
		if final {
			sam.post(http.StatusConflict, path(id)+"/release", nil)
		}
	}
}

// TestPages_deletionIsConfirmed by a dialog or, without scripts, by a box that the browser wants ticked.
func TestPages_deletionIsConfirmed(t *testing.T) {
	t.Parallel()
	o := newFixture(t)
	form := o.browser("sam").get(http.StatusOK, path(o.quarantined("refused"))).Find("form[action$=deletion]")
	if form.AttrOr("data-sure", "") == "" || !strings.Contains(form.Find("noscript").Text(), `<input type="checkbox" required>`) {
		html, _ := form.Html()
		t.Errorf("the form: %s", html)
	}
}

func TestPages_supervisorsDeleteBlockAndReleaseThreats(t *testing.T) {
	t.Parallel()
	o := newFixture(t)
	id, virus := o.quarantined("refused"), o.quarantined("threat")
	anna, sam := o.browser("anna"), o.browser("sam")
	anna.post(http.StatusForbidden, path(virus)+"/release", nil)
	sam.post(http.StatusSeeOther, path(virus)+"/release", nil)
	sam.post(http.StatusSeeOther, path(id)+"/deletion", nil)
	if a := sam.get(http.StatusOK, path(id)); !strings.Contains(a.Body, "Deleted by <bdi>Sam Supervisor</bdi>") {
		t.Errorf("a deleted mail: %s", a.Body)
	}
	sam.get(http.StatusNotFound, path(id)+"/raw")
	anna.post(http.StatusForbidden, "/desk/mail/blocked", url.Values{"sender": {"a@b.example"}})
	if a := sam.post(http.StatusUnprocessableEntity, "/desk/mail/blocked", url.Values{"sender": {"<b>no"}}); a.Find(`#sender[value="<b>no"]`).Length() != 1 {
		t.Errorf("a refused sender: %s", a.Body)
	}
	sam.post(http.StatusSeeOther, "/desk/mail/blocked", url.Values{"sender": {"A@b.example"}})
	if a := sam.get(http.StatusOK, "/desk/mail/blocked"); !strings.Contains(a.Find(".cards").Text(), "a@b.example") {
		t.Errorf("blocked: %s", a.Body)
	}
	sam.post(http.StatusSeeOther, "/desk/mail/blocked", url.Values{"sender": {"a@b.example"}, "unblock": {"1"}})
	if a := sam.get(http.StatusOK, "/desk/mail/blocked"); a.Find(".cards").Length() != 0 {
		t.Errorf("unblocked: %s", a.Body)
	}
}

// TestPrivacy_customersReachNoIncomingMail by any route, also of a mail that became a message of their own ticket.
func TestPrivacy_customersReachNoIncomingMail(t *testing.T) {
	t.Parallel()
	o := newFixture(t)
	ids := []int64{o.quarantined("refused")}
	n, mine := o.replied()
	ids = append(ids, mine)
	clara, visitor := o.browser("clara"), o.browser("")
	walked := 0
	for _, r := range o.pages.Area().Routes {
		for _, id := range ids {
			walked++
			at := strings.ReplaceAll(r.Path, ":id", fmt.Sprint(id))
			if r.Method == http.MethodGet {
				if a := clara.get(http.StatusForbidden, at); strings.Contains(a.Body, "canary") {
					t.Errorf("%s shows it", at)
				}
				visitor.get(http.StatusSeeOther, at)
				continue
			}
			clara.post(http.StatusForbidden, at, url.Values{"sender": {"a@b.example"}})
			visitor.post(http.StatusUnauthorized, at, url.Values{"sender": {"a@b.example"}})
		}
	}
	if walked < 14 {
		t.Errorf("only %d routes", walked)
	}
	if a := clara.get(http.StatusOK, "/tickets/"+string(n)); strings.Contains(a.Body, "/desk/mail") || !strings.Contains(a.Body, "canary") {
		t.Errorf("the customer's ticket: %s", a.Body)
	}
	entries, err := o.Desk.Timeline(t.Context(), o.People["clara"], n)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Incoming != 0 {
			t.Errorf("the timeline names the mail %d to the customer", e.Incoming)
		}
	}
}

// replied is a ticket of Clara with a reply by email.
func (o *fixture) replied() (ticket.Number, int64) {
	o.t.Helper()
	receipt, err := o.Desk.Submit(o.t.Context(), o.People["clara"], desk.Submission{Subject: "My parcel", Body: "It is late."})
	if err != nil {
		o.t.Fatal(err)
	}
	const html = `<p>canary<img data-src="http://spy.example/i.png" width="50" height="50"></p>`
	id := o.received(hostile+"reply", desk.IncomingResult{Status: desk.IncomingAccepted, Ticket: receipt.Number})
	o.command(desk.Request{Number: receipt.Number, Body: "canary", HTML: html, Channel: desk.ChannelEmail, Incoming: id})
	return receipt.Number, id
}

func (o *fixture) command(r desk.Request) {
	o.t.Helper()
	o.commandBy(o.People["clara"], r)
}

func (o *fixture) commandBy(by desk.Person, r desk.Request) {
	o.t.Helper()
	r.Verb = ticket.VerbCustomerReply
	o.Command(by, r)
}

func TestMessages_byEmailShowTheirHTMLAndForStaffTheOriginal(t *testing.T) {
	t.Parallel()
	o := newFixture(t)
	n, id := o.replied()
	o.command(desk.Request{Number: n, Body: "Thanks <b>!\n\nOn Mon, 23 Nov 2026 at 10:00, Support <support@desk.example> wrote:\n> one\n> two\n> three\n> four\n> five\n", Channel: desk.ChannelEmail})
	for who, at := range map[string]string{"anna": "/desk/tickets/" + string(n) + "?queue=all", "clara": "/tickets/" + string(n)} {
		b := o.browser(who)
		a := b.get(http.StatusOK, at)
		if a.Find(".message .remote-image").Length() != 1 || a.Find(".message img").Length() != 0 {
			t.Errorf("%s: the email's HTML: %s", who, a.Find(".message").Text())
		}
		if quoted := a.Find(".message details").Text(); !strings.Contains(quoted, "> three") || strings.Contains(quoted, "Thanks") || a.Find(".message b").Length() != 0 {
			t.Errorf("%s: the quotation is not folded: %q", who, quoted)
		}
		with, _ := a.Find(".remote-images a").Attr("href")
		with, _, _ = strings.Cut(with, "#")
		if a = b.get(http.StatusOK, with); a.Find(`.message img[src="http://spy.example/i.png"]`).Length() != 1 {
			t.Errorf("%s: no remote images at %q", who, with)
		}
		if originals := a.Find(`a[href="` + path(id) + `"]`).Length(); originals != map[string]int{"anna": 1, "clara": 0}[who] {
			t.Errorf("%s: %d links to the original", who, originals)
		}
		if who == "anna" && (!strings.Contains(a.Find(".channel").Text(), "by email") || !strings.Contains(with, "queue=all")) {
			t.Errorf("channels: %q at %q", a.Find(".channel").Text(), with)
		}
	}
}

func TestMessages_byEmailShowStaffThatTheirSenderIsNotConfirmed(t *testing.T) {
	t.Parallel()
	o := newFixture(t)
	n, _ := o.replied()
	var ids []int64
	for _, sender := range []desk.EmailSender{desk.SenderUnconfirmed, desk.SenderConfirmed} {
		id := o.received(hostile+string(sender), desk.IncomingResult{Status: desk.IncomingAccepted, Ticket: n})
		by := o.People["clara"]
		by.Sender = sender
		o.commandBy(by, desk.Request{Number: n, Body: string(sender), Channel: desk.ChannelEmail, Incoming: id})
		ids = append(ids, id)
	}
	marks := o.browser("anna").get(http.StatusOK, "/desk/tickets/"+string(n)).Find(".unconfirmed")
	if marks.Length() != 1 || marks.Text() != "Sender not confirmed" || marks.AttrOr("href", "") != path(ids[0]) || marks.AttrOr("title", "") == "" ||
		!strings.Contains(marks.Closest(".said").Text(), string(desk.SenderUnconfirmed)) {
		t.Errorf("%d marks, first %q at %q", marks.Length(), marks.Text(), marks.AttrOr("href", ""))
	}
	if a := o.browser("clara").get(http.StatusOK, "/tickets/"+string(n)); strings.Contains(a.Body, "not confirmed") {
		t.Error("the customer sees the mark")
	}
	entries, err := o.Desk.Timeline(t.Context(), o.People["clara"], n)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Sender != "" {
			t.Errorf("the timeline says to the customer that a sender is %s", e.Sender)
		}
	}
}

const formatted = `<p>Hello,</p><ul><li>the jug <b>leaks</b></li><li>Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft<ol><li>eins</li><li>zwei</li></ol></li></ul>
<table><tr><th>Artikel</th><th>数量</th></tr><tr><td>Glas</td><td>2</td></tr><tr><td>الكأس</td><td>3</td></tr></table>
<p>See: <img src="cid:label@client" alt="The label"><img src="https://spy.example/i.png" width="50" height="50"></p><blockquote>one</blockquote>
<div class="gmail_quote"><div class="gmail_attr">On Mon, 23 Nov 2026 at 10:00, Support &lt;support@desk.example&gt; wrote:<br></div><blockquote class="gmail_quote"><p>How can we help?</p></blockquote></div>`

// wrote is a ticket of Clara with a formatted reply by email, which has two images: one within its words, and one that is a file
// only.
func (o *fixture) wrote() ticket.Number {
	o.t.Helper()
	receipt, err := o.Desk.Submit(o.t.Context(), o.People["clara"], desk.Submission{Subject: "My parcel", Body: "It is late."})
	if err != nil {
		o.t.Fatal(err)
	}
	html := markup.SanitizeMail(quote.FoldHTML(formatted, quote.Options{}))
	id := o.received(hostile+"formatted", desk.IncomingResult{Status: desk.IncomingAccepted, Ticket: receipt.Number},
		desk.MailTraits{Signed: true, Calendar: desk.CalendarRequest})
	var files []desk.FileID
	for name, contentID := range map[string]string{"label.png": "label@client", "jug.png": "jug@client"} {
		f, err := o.Files.Upload(o.t.Context(), o.People["clara"], desk.Upload{
			Name: name, ContentID: contentID, Inline: true, Content: bytes.NewReader(pagetest.PNG(o.t, 120, 60)),
		})
		if err != nil {
			o.t.Fatal(err)
		}
		files = append(files, f.ID)
	}
	by := o.People["clara"]
	by.Sender = desk.SenderUnconfirmed
	o.commandBy(by, desk.Request{Number: receipt.Number, Body: "Hello, the jug leaks.", HTML: html, Channel: desk.ChannelEmail, Incoming: id, Files: files,
		LeftOut: []desk.LeftOut{{What: "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen <1> صورة.tif", Why: "larger than 10 MiB"}, {What: "void.png", Why: "empty"}}})
	return receipt.Number
}

func TestMessages_byEmailShowEachImageOnceAndWhatTheyAre(t *testing.T) {
	t.Parallel()
	o := newFixture(t)
	n := o.wrote()
	id := o.received(hostile+"encrypted", desk.IncomingResult{Status: desk.IncomingAccepted, Ticket: n}, desk.MailTraits{Encrypted: true})
	f, err := o.Files.Upload(t.Context(), o.People["clara"], desk.Upload{Name: "smime.p7m", Content: strings.NewReader("secret")})
	if err != nil {
		t.Fatal(err)
	}
	o.command(desk.Request{Number: n, Channel: desk.ChannelEmail, Incoming: id, Files: []desk.FileID{f.ID}})
	for who, c := range map[string]struct{ at, message, note, kept string }{
		"anna":  {"/desk/tickets/" + string(n), ".said", "can’t be read here", "Left out of this message (the original email has it):"},
		"clara": {"/tickets/" + string(n), ".bubble", "our support can’t read it", "Left out of this message (our support has the original email):"},
	} {
		a := o.browser(who).get(http.StatusOK, c.at)
		pagetest.Check(t, who, a.Document) // staff may delete the files
		replies := a.Find(c.message)
		formatted, encrypted := replies.Eq(1), replies.Eq(2)
		previews := formatted.Find(`.message img[src$="/preview"]`)
		if previews.Length() != 1 || previews.AttrOr("alt", "") != "The label" {
			t.Errorf("%s: %d images within the words", who, previews.Length())
		}
		if shown := formatted.Find(".file-preview"); shown.Length() != 1 || !strings.HasSuffix(shown.AttrOr("href", ""), "/jug.png") {
			t.Errorf("%s: %d images below the words, first %q", who, shown.Length(), shown.AttrOr("href", ""))
		}
		if file := formatted.Find(".files-within a.file-name"); file.Length() != 1 || !strings.HasSuffix(file.AttrOr("href", ""), "/label.png") {
			t.Errorf("%s: the image within the words is no file: %s", who, formatted.Text())
		}
		if traits := texts(formatted.Find(".trait")); !slices.Equal(traits, []string{"Signed, not verified", "Invitation"}) {
			t.Errorf("%s: the email is %q", who, traits)
		}
		if traits := texts(encrypted.Find(".trait")); !slices.Equal(traits, []string{"Encrypted"}) || !strings.Contains(encrypted.Text(), c.note) ||
			encrypted.Find(".file-name").Length() != 1 {
			t.Errorf("%s: an encrypted email: %q, %q", who, traits, encrypted.Text())
		}
		if left := formatted.Find(".left-out"); left.Find("p").Text() != c.kept || len(left.Find("li").Nodes) != 2 || left.Find("li").Eq(1).Text() != "void.png: empty" {
			t.Errorf("%s: left out: %q", who, left.Text())
		}
		if first := replies.Eq(0); first.Find(".trait, .hint, .files-within, .left-out").Length() != 0 {
			t.Errorf("%s: a message by page: %s", who, first.Text())
		}
	}
}

func texts(s *goquery.Selection) []string {
	return s.Map(func(_ int, one *goquery.Selection) string { return one.Text() })
}
