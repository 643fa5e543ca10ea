package portal_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/link"
	"github.com/holesalemart/supportdesk/internal/pagetest"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// postForm sends a form as a browser without scripts does: pairs of names and values; a name that begins with @ is that of a
// file.
func (b *browser) postForm(status int, path string, pairs ...string) response {
	b.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for i := 0; i < len(pairs); i += 2 {
		var part io.Writer
		var err error
		if name, is := strings.CutPrefix(pairs[i], "@"); is {
			part, err = w.CreateFormFile("attach", name)
		} else if pairs[i] == "attach" { // no file was chosen
			part, err = w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {`form-data; name="attach"; filename=""`}, "Content-Type": {"application/octet-stream"}})
		} else {
			part, err = w.CreateFormField(pairs[i])
		}
		if err == nil {
			_, err = io.WriteString(part, pairs[i+1])
		}
		if err != nil {
			b.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		b.t.Fatal(err)
	}
	a := response{b.Browser.Post(path, w.FormDataContentType(), &body)}
	if a.Status != status {
		b.t.Fatalf("POST %s: %d, want %d: %s", path, a.Status, status, a.Line("main"))
	}
	return a
}

// raw sends a body as a script does.
func (b *browser) raw(method, path, body string, headers ...string) response {
	b.t.Helper()
	return response{b.Browser.Send(method, path, body, headers...)}
}

func (a response) wants(t *testing.T, status int) {
	t.Helper()
	if a.Status != status {
		t.Errorf("%d, want %d: %.300s", a.Status, status, a.Body)
	}
}

func (o *fixture) upload(name, file string) desk.File {
	o.t.Helper()
	f, err := o.Files.Upload(o.t.Context(), o.People[name], desk.Upload{Name: file, Content: bytes.NewReader(pagetest.PNG(o.t, 64, 32))})
	if err != nil {
		o.t.Fatal(err)
	}
	return f
}

// sent returns a file that a person has sent with a reply or a note.
func (o *fixture) sent(n ticket.Number, name, file string, verb ticket.Verb) desk.File {
	o.t.Helper()
	f := o.upload(name, file)
	o.command(name, desk.Request{Number: n, Verb: verb, Body: "with a file", Files: []desk.FileID{f.ID}})
	return f
}

func addresses(f desk.File) []string {
	return []string{"/files/" + string(f.ID) + "/any", "/files/" + string(f.ID) + "/preview"}
}

func TestFiles_travelWithFormsWithoutScripts(t *testing.T) {
	o := newFixture(t)
	b := o.signedIn("clara")
	picture := string(pagetest.PNG(t, 300, 200))
	a := b.postForm(http.StatusSeeOther, "/tickets", "idempotency_key", "k1", "subject", "A dent", "body", "", "attach", "", "@dent.png", picture, "@list.txt", "a list")
	path := strings.TrimSuffix(a.Location, "/receipt")
	page := b.get(http.StatusOK, path)
	if got := page.Find(".file").Length(); got != 2 {
		t.Fatalf("the ticket shows %d files: %s", got, page.Line("main"))
	}
	image := page.Find(".file-preview img")
	if image.AttrOr("alt", "") != "dent.png" || image.AttrOr("width", "") != "300" || !strings.HasSuffix(image.AttrOr("src", ""), "/preview") {
		t.Errorf("the preview is %v", image.Nodes)
	}
	page.wantTexts(t, ".files", "dent.png", "image", "list.txt", "text, 6 bytes")
	saved := b.ask(http.MethodGet, page.Find(".file-name").First().AttrOr("href", ""), nil)
	if saved.Status != http.StatusOK || saved.Body != picture || !strings.HasPrefix(saved.Header.Get("Content-Disposition"), "attachment") ||
		!strings.Contains(saved.Header.Get("Content-Security-Policy"), "sandbox") || saved.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d %v", saved.Status, saved.Header)
	}
	if again := b.postForm(http.StatusSeeOther, "/tickets", "idempotency_key", "k1", "subject", "A dent", "body", "", "@dent.png", picture, "@list.txt", "a list"); again.Location != a.Location {
		t.Errorf("the same form again leads to %s, not %s", again.Location, a.Location)
	}
	for range 2 {
		b.postForm(http.StatusSeeOther, path+"/replies", "idempotency_key", "reply", "seen", "1", "body", "One more.", "@more.png", picture)
	}
	if got := b.get(http.StatusOK, path).Find(".bubble").Length(); got != 2 {
		t.Errorf("a reply sent twice is there %d times", got-1)
	}
}

func TestFiles_refusedFormComesBackWithWhatWasUploaded(t *testing.T) {
	o := newFixture(t)
	b := o.signedIn("clara")
	a := b.postForm(http.StatusUnprocessableEntity, "/tickets", "idempotency_key", "k", "subject", "", "body", "Words stay.", "@dent.png", "bytes")
	if a.value("[name=body]") != "Words stay." || a.value("[name=files]") == "" || !strings.Contains(a.Line(".attached"), "dent.png") {
		t.Fatalf("the form shows %q", a.Line("main"))
	}
	id := a.value("[name=files]")
	large := strings.Repeat("x", 10<<20+1)
	a = b.postForm(http.StatusRequestEntityTooLarge, "/tickets", "idempotency_key", "k", "subject", "Large", "body", "Words stay.", "files", id, "name-"+id, "dent.png", "@large.bin", large)
	if a.value("[name=files]") != id || !strings.Contains(a.Line(".attach .error"), "large.bin: a file can have at most 10 MiB") || a.value("[name=subject]") != "Large" {
		t.Errorf("the form shows %q", a.Line("main"))
	}
	a = b.postForm(http.StatusUnprocessableEntity, "/tickets", "idempotency_key", "k", "subject", "Empty", "body", "Words stay.", "@nothing.txt", "")
	if got := a.Line(".attach .error"); !strings.Contains(got, "The files contain nothing.txt: the file is empty.") {
		t.Errorf("the form shows %q", got)
	}
	a = b.postForm(http.StatusSeeOther, "/tickets", "idempotency_key", "k", "subject", "Now", "body", "Words stay.", "files", id, "name-"+id, "dent.png", "alt-"+id, "A dent in a box")
	page := b.get(http.StatusOK, strings.TrimSuffix(a.Location, "/receipt"))
	if page.Find(".file").Length() != 1 {
		t.Errorf("the ticket shows %s", page.Line("main"))
	}
	path := strings.TrimSuffix(a.Location, "/receipt")
	many := []string{"idempotency_key", "r", "seen", "1", "body", "Kept."}
	for i := range 11 {
		many = append(many, fmt.Sprintf("@%d.txt", i), "x")
	}
	a = b.postForm(http.StatusUnprocessableEntity, path+"/replies", many...)
	if a.Find(".attached-file").Length() != 10 || !strings.Contains(a.Line(".attach .error"), "more than 10") || a.value("#body") != "Kept." {
		t.Errorf("the form shows %q", a.Line("#reply-form"))
	}
	b.postForm(http.StatusUnprocessableEntity, path+"/replies", "idempotency_key", "r", "seen", "1", "body", "x", "files", string(o.upload("carl", "his.png").ID))
	a = b.postForm(http.StatusUnprocessableEntity, path+"/replies", "idempotency_key", "r", "seen", "1", "body", "", "files", id, "drop-"+id, "1")
	if a.Find(".attached-file").Length() != 0 {
		t.Error("a removed file is still there")
	}
}

func TestFiles_scriptsUploadOneByOne(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "hers")
	for _, path := range []string{"/files", "/tickets/" + string(n) + "/files"} {
		b := o.signedIn("clara")
		a := b.raw(http.MethodPost, path, "bytes", "X-Filename", "%C3%A4.txt", "Content-Type", "text/plain")
		if a.Status != http.StatusCreated || !strings.Contains(a.Body, `"name":"ä.txt","size":"5 bytes"`) {
			t.Errorf("%s: %d %s", path, a.Status, a.Body)
		}
		if a := b.raw(http.MethodPost, path, "", "X-Filename", "x"); a.Status != http.StatusUnprocessableEntity || !strings.Contains(a.Body, `"The file is empty."`) {
			t.Errorf("%s, empty: %d %s", path, a.Status, a.Body)
		}
		b.raw(http.MethodPost, path, "bytes").wants(t, http.StatusUnprocessableEntity) // a form of another site has no header of ours
		o.visitor().raw(http.MethodPost, path, "bytes", "X-Filename", "x").wants(t, http.StatusUnauthorized)
		b.raw(http.MethodPost, path, "bytes", "X-Filename", "x", "Sec-Fetch-Site", "cross-site", "Origin", "http://evil.example").wants(t, http.StatusForbidden)
	}
	o.signedIn("carl").raw(http.MethodPost, "/tickets/"+string(n)+"/files", "bytes", "X-Filename", "x").wants(t, http.StatusNotFound)
}

func TestPrivacy_filesOfAnotherTicketAreNotThere(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "hers")
	reply, note := o.sent(n, "anna", "reply.png", ticket.VerbAgentReply), o.sent(n, "anna", "note.png", ticket.VerbNote)
	draft, staffs := o.upload("clara", "draft.png"), o.upload("anna", "draft.png")
	clara, carl, visitor := o.signedIn("clara"), o.signedIn("carl"), o.visitor()
	if a := clara.get(http.StatusOK, "/tickets/"+string(n)); a.Find(".file").Length() != 1 || !strings.Contains(a.Line(".files"), "reply.png") {
		t.Errorf("the requester is shown %q", a.Line(".files"))
	}
	for _, f := range []desk.File{reply, note, draft, staffs} {
		hers := f.ID == reply.ID || f.ID == draft.ID
		for _, path := range addresses(f) {
			want := http.StatusNotFound
			if hers {
				want = http.StatusOK
			}
			clara.ask(http.MethodGet, path, nil).wants(t, want)
			carl.get(http.StatusNotFound, path)
			if a := visitor.get(http.StatusSeeOther, path); !strings.HasPrefix(a.Location, "/sign-in") {
				t.Errorf("a visitor is led from %s to %s", path, a.Location)
			}
		}
		carl.post(http.StatusNotFound, "/files/"+string(f.ID)+"/deletion")
		visitor.post(http.StatusUnauthorized, "/files/"+string(f.ID)+"/deletion")
	}
	clara.post(http.StatusForbidden, "/files/"+string(reply.ID)+"/deletion")
	clara.get(http.StatusNotFound, "/files/F-nonsense/x")
}

func TestFile_canBeDeletedTwice(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "hers")
	f := o.sent(n, "anna", "reply.png", ticket.VerbAgentReply)
	for range 2 { // a second press, or a colleague's
		if a := o.signedIn("anna").post(http.StatusSeeOther, "/files/"+string(f.ID)+"/deletion"); a.Location != "/desk/tickets/"+string(n) {
			t.Errorf("redirected to %q", a.Location)
		}
	}
}

func TestLink_opensTheFilesOfOneTicketAndNoOther(t *testing.T) {
	o := newFixture(t)
	n, own := o.submitted("clara", "the one"), o.submitted("clara", "her other")
	here, note := o.sent(n, "anna", "here.png", ticket.VerbAgentReply), o.sent(n, "anna", "note.png", ticket.VerbNote)
	there, draft := o.sent(own, "anna", "there.png", ticket.VerbAgentReply), o.upload("clara", "draft.png")
	b := o.visitor()
	b.get(http.StatusSeeOther, "/c/"+o.token(n, "clara", time.Now().Add(time.Hour)))
	for f, want := range map[*desk.File]int{&here: http.StatusOK, &note: http.StatusNotFound, &there: http.StatusNotFound, &draft: http.StatusNotFound} {
		for _, path := range addresses(*f) {
			b.ask(http.MethodGet, path, nil).wants(t, want)
		}
	}
	a := b.raw(http.MethodPost, "/tickets/"+string(n)+"/files", "bytes", "X-Filename", "mine.txt")
	a.wants(t, http.StatusCreated)
	id := strings.Split(a.Body, `"`)[3]
	b.post(http.StatusSeeOther, "/tickets/"+string(n)+"/replies", "body", "", "files", id)
	b.get(http.StatusOK, "/tickets/"+string(n)).wantTexts(t, ".mine:last-child", "mine.txt")
	b.raw(http.MethodPost, "/tickets/"+string(own)+"/files", "bytes", "X-Filename", "x").wants(t, http.StatusUnauthorized)
}

func TestLink_toAFileOpensThatFileUntilItEnds(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "hers")
	f, other, note := o.sent(n, "anna", "f.png", ticket.VerbAgentReply), o.sent(n, "anna", "g.png", ticket.VerbAgentReply), o.sent(n, "anna", "n.png", ticket.VerbNote)
	secret, err := o.Secret(t.Context(), "links")
	if err != nil {
		t.Fatal(err)
	}
	fileToken := func(id desk.FileID, name string, expires time.Time) string {
		return link.NewFile(secret, link.Grant{Number: ticket.Number(id), Person: o.People[name].ID, Expires: expires})
	}
	later := time.Now().Add(link.FileLifetime)
	good := fileToken(f.ID, "clara", later)
	b := o.visitor()
	if a := b.ask(http.MethodGet, "/f/"+good, nil); a.Status != http.StatusOK || !strings.Contains(a.Header.Get("Content-Disposition"), "f.png") {
		t.Errorf("%d %v", a.Status, a.Header)
	}
	for name, c := range map[string]struct {
		token string
		want  int
	}{
		"expired":                  {fileToken(f.ID, "clara", time.Now().Add(-time.Second)), http.StatusForbidden},
		"another customer's":       {fileToken(f.ID, "carl", later), http.StatusNotFound},
		"a note's":                 {fileToken(note.ID, "clara", later), http.StatusNotFound},
		"staff's":                  {fileToken(f.ID, "anna", later), http.StatusNotFound},
		"forged":                   {good[1:], http.StatusNotFound},
		"a conversation's":         {o.token(n, "clara", later), http.StatusNotFound},
		"a conversation of a file": {link.New(secret, link.Grant{Number: ticket.Number(f.ID), Person: o.People["clara"].ID, Expires: later}), http.StatusNotFound},
	} {
		if a := b.ask(http.MethodGet, "/f/"+c.token, nil); a.Status != c.want {
			t.Errorf("%s: %d, want %d", name, a.Status, c.want)
		}
	}
	for _, path := range append(addresses(other), "/tickets/"+string(n)) {
		b.get(http.StatusSeeOther, path) // it signed no one in
	}
	b.get(http.StatusNotFound, "/c/"+good)
	if strings.Contains(o.log.String(), good) {
		t.Error("the token is in the log")
	}
	if _, err := o.Files.Delete(t.Context(), o.People["anna"], f.ID); err != nil {
		t.Fatal(err)
	}
	b.ask(http.MethodGet, "/f/"+good, nil).wants(t, http.StatusNotFound)
	o.signedIn("clara").get(http.StatusOK, "/tickets/"+string(n)).wantTexts(t, "main", "f.png was deleted by Anna Agent on")
	if _, err := o.Accounts().EndAll(t.Context(), o.People["clara"].ID, account.RevokeTokens); err != nil {
		t.Fatal(err)
	}
	b.ask(http.MethodGet, "/f/"+fileToken(other.ID, "clara", later.Add(-time.Hour)), nil).wants(t, http.StatusForbidden)
}

func TestMail_hasSmallFilesAndLinksToLargeOnes(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "hers")
	f := o.sent(n, "anna", "small.png", ticket.VerbAgentReply)
	load := func(most int64) desk.MailFile {
		t.Helper()
		for mail := 1; ; mail++ {
			data, _, err := app.NewMails(o.Store).Attaching(o.Files, most).LoadMail(t.Context(), n, mail)
			if err != nil {
				t.Fatal(err)
			}
			if len(data.Files) == 1 {
				return data.Files[0]
			}
		}
	}
	if got := load(f.Size); !bytes.Equal(got.Content, pagetest.PNG(t, 64, 32)) || got.Token != "" || got.Name != "small.png" {
		t.Errorf("got %d bytes, token %q", len(got.Content), got.Token)
	}
	got := load(f.Size - 1)
	if got.Content != nil || got.Token == "" {
		t.Errorf("a large one has %d bytes, token %q", len(got.Content), got.Token)
	}
	o.visitor().ask(http.MethodGet, "/f/"+got.Token, nil).wants(t, http.StatusOK)
	if _, err := o.Files.Delete(t.Context(), o.People["anna"], f.ID); err != nil {
		t.Fatal(err)
	}
	if got := load(f.Size); got.Content != nil || got.Token != "" || got.Name != "small.png" || got.Deleted == nil {
		t.Errorf("a deleted one is %+v", got)
	}
}
