package mail_test

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var hostile = []string{
	"", " ", "plain", "<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "</title><svg/onload=alert(1)>",
	"a\r\nBcc: victim@example.com\r\n\r\nbody", "line\nline\rline\u2028line\u2029line\u0085line\vline", "=?utf-8?q?=0D=0ABcc:_x?=",
	"{{.Contact}}{{template \"lead\"}}", "javascript:alert(1)", "bad \xff\xfe utf8", "nul \x00 bell \x07 esc \x1b[31m",
	"\u202Eevil\u202C \u2066x", "مرحبا بالعالم", "שלום", "👩‍💻 🇩🇪 e\u0301", "&amp; &lt; &#60;script&#62;", strings.Repeat("x", 5000), strings.Repeat("y", 900),
	strings.Repeat("né ", 3000), "-- \nfake footer\nSubject: other", "<!-- -->", "]]>", "`${x}`", "' onmouseover='x",
}

func TestRender_letsNothingTypedEscape(t *testing.T) {
	r := newRenderer(t)
	for _, kind := range ticket.MailKinds() {
		for _, typed := range hostile {
			l := sampleMail(kind)
			l.Subject, l.Body, l.Author, l.Assignee, l.To.Name = typed, typed, typed, typed, typed
			l.Signature, l.Quoted, l.LeftOut = typed, desk.Quoted{Body: typed, Author: typed}, []desk.LeftOut{{What: typed, Why: typed}}
			m, err := r.Render(l)
			if err != nil {
				t.Fatalf("%s, %q: %v", kind, typed, err)
			}
			checkMessage(t, m.Subject, m.Text, m.HTML)
		}
	}
}

func FuzzRender(f *testing.F) {
	for i, typed := range hostile {
		f.Add(i, typed, typed, typed, typed, int64(i)*1e9, "care@holesalemart.example", "https://holesalemart.example/privacy")
	}
	f.Add(0, "s", "b", "n", "a", int64(0), "x@y\r\nz", "javascript:alert(1)")
	r := newRenderer(f)
	kinds := ticket.MailKinds()
	f.Fuzz(func(t *testing.T, kind int, subject, body, name, author string, due int64, contact, privacy string) {
		l := sampleMail(kinds[((kind%len(kinds))+len(kinds))%len(kinds)])
		l.Subject, l.Body, l.To.Name, l.Author, l.Assignee = subject, body, name, author, name
		l.Signature, l.Quoted = subject, desk.Quoted{Body: body, Author: name}
		l.FirstResponseDue = time.Unix(due%1e11, 0)
		l.Cause, l.Status = ticket.Cause(author), ticket.Status(subject)
		l.Policy = &policy.Policy{Zone: time.UTC, Contact: contact, PrivacyURL: privacy, Name: name}
		m, err := r.Render(l)
		if err != nil {
			t.Fatal(err)
		}
		checkMessage(t, m.Subject, m.Text, m.HTML)
	})
}

// checkMessage holds for every mail, whatever people typed.
func checkMessage(t *testing.T, subject, text, asHTML string) {
	t.Helper()
	if strings.ContainsFunc(subject, func(r rune) bool { return unicode.IsControl(r) || r == '\u2028' || r == '\u2029' }) {
		t.Errorf("subject has a control character: %q", subject)
	}
	if strings.ContainsAny(subject, "\u202A\u202B\u202C\u202D\u202E\u2066\u2067\u2068\u2069") {
		t.Errorf("subject turns the direction of text: %q", subject)
	}
	for _, part := range []string{subject, text, asHTML} {
		if !utf8.ValidString(part) {
			t.Errorf("invalid UTF-8: %q", part)
		}
		if strings.ContainsFunc(part, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
			t.Errorf("control character: %q", part)
		}
	}
	checkElements(t, parseHTML(t, asHTML))
}

var allowed = map[string][]string{
	"html": {"lang"}, "head": {}, "title": {}, "style": {}, "meta": {"charset", "name", "content"}, "body": {"class", "style"},
	"div": {"class", "style"}, "p": {"class", "style", "dir"}, "br": {}, "bdi": {}, "dl": {"class", "style"}, "dt": {"class", "style"},
	"dd": {"style", "dir"}, "a": {"class", "href", "style", "rel", "target"}, "hr": {"style"}, "blockquote": {"class", "style"},
	"ul": {"style"}, "li": {"style"},
}

func parseHTML(t *testing.T, source string) *html.Node {
	t.Helper()
	root, err := html.Parse(strings.NewReader(source))
	if err != nil {
		t.Fatal(err)
	}
	return root
}

// checkElements allows what the layout is made of and nothing else: typed text can add neither elements, nor
// attributes, nor links that do something.
func checkElements(t *testing.T, root *html.Node) {
	t.Helper()
	styles := 0
	for n := range root.Descendants() {
		if n.Type == html.CommentNode {
			t.Errorf("comment %q", n.Data)
		}
		if n.Type != html.ElementNode {
			continue
		}
		attributes, ok := allowed[n.Data]
		if !ok {
			t.Errorf("element <%s>", n.Data)
		}
		if n.Data == "style" {
			styles++
		}
		for _, a := range n.Attr {
			if !slices.Contains(attributes, a.Key) {
				t.Errorf("attribute %s of <%s>", a.Key, n.Data)
			}
			if a.Key == "href" && strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:") {
				t.Errorf("link %q", a.Val)
			}
		}
	}
	if styles != 1 {
		t.Errorf("%d style elements", styles)
	}
}

// visible is the text that a reader sees, with single spaces.
func visible(root *html.Node) string {
	var b strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" {
			b.WriteString(n.Data)
		}
		if n.Type == html.ElementNode && (n.Data == "br" || n.Data == "p" || n.Data == "dd") {
			b.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func TestMessage_headersStandAgainstHostileInput(t *testing.T) {
	server := newServer(t, behaviour{})
	s := newSender(t, server.config())
	for _, typed := range hostile {
		l := sampleMail(ticket.MailReply)
		l.Subject, l.To.Name, l.Author, l.Body = typed, typed, typed, typed
		server.reset()
		if err := s.Send(t.Context(), l); err != nil {
			t.Fatalf("%q: %v", typed, err)
		}
		got := server.only(t)
		if want := []string{"customer@demo.example"}; !slices.Equal(got.to, want) {
			t.Errorf("%q: recipients %q", typed, got.to)
		}
		checkHeaders(t, s, l, got.data)
	}
}

func TestSend_refusesAddressesThatCannotBeWritten(t *testing.T) {
	server := newServer(t, behaviour{})
	s := newSender(t, server.config())
	for _, address := range []string{
		"", "nobody", "a@b\r\nRCPT TO:<c@d>", "a@b, c@d", "Name <a@b>", "<a@b>", "a b@c", "a@b (comment)", "a@", "@b", "a@b>",
		"a@\u202Eb", "a\x00@b", strings.Repeat("a", 250) + "@b.example", "ümlaut@customer.example",
	} {
		l := sampleMail(ticket.MailReply)
		l.To = desk.Mailbox{Address: address}
		refused := undeliverable(t, s.Send(t.Context(), l))
		if refused.Code != 0 || refused.Reason == "" || (address != "" && strings.Contains(refused.Error()+refused.Reason, address)) {
			t.Errorf("%q: %+v", address, refused)
		}
	}
	if got := server.all(); len(got) != 0 {
		t.Errorf("the server took %d mails", len(got))
	}
}

func TestSend_writesInternationalAddresses(t *testing.T) {
	server := newServer(t, behaviour{unicode: true})
	s := newSender(t, server.config())
	for address, want := range map[string]string{
		"maria@bücher.example": "maria@xn--bcher-kva.example",
		"jürgen@example.com":   "jürgen@example.com",
		`"a b"@example.com`:    "a b@example.com", // as the server unquotes it
		"o'neil+x@example.com": "o'neil+x@example.com",
	} {
		l := sampleMail(ticket.MailReply)
		l.To.Address = address
		server.reset()
		if err := s.Send(t.Context(), l); err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		if got := server.only(t); got.to[0] != want || got.utf8 != (address == "jürgen@example.com") {
			t.Errorf("%s: sent to %q, SMTPUTF8 %t", address, got.to[0], got.utf8)
		}
	}
}
