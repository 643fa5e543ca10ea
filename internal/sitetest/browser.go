package sitetest

import (
	"bufio"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"github.com/holesalemart/supportdesk/internal/pagetest"
)

// Browser is an HTTP client with cookies. It follows no redirects and runs no scripts.
type Browser struct {
	Client *http.Client

	t    testing.TB
	base string
}

// NewBrowser returns a Browser for a website, not signed in.
func NewBrowser(t testing.TB, base string) *Browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Browser{Client: &http.Client{Jar: jar, CheckRedirect: stay}, t: t, base: base}
}

// SignIn signs in by the route that Serve adds.
func (b *Browser) SignIn(handle string) {
	b.t.Helper()
	if a := b.Ask(http.MethodGet, "/let-in/"+handle, nil); a.Status != http.StatusNoContent && a.Status != http.StatusSeeOther {
		b.t.Fatalf("%s was not let in: %d", handle, a.Status)
	}
}

// Response is a response. For a stream it has the first line and no document.
type Response struct {
	*goquery.Document
	Status   int
	Header   http.Header
	Location string // of a redirect
	Body     string
}

// Ask sends a request, with a form if POST, and headers in pairs of name and value.
func (b *Browser) Ask(method, path string, form url.Values, headers ...string) Response {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return b.send(r)
}

// Send sends a body as a script does, with headers in pairs of name and value.
func (b *Browser) Send(method, path, body string, headers ...string) Response {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.base+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return b.send(r)
}

// Post sends a body, such as a form with a file.
func (b *Browser) Post(path, media string, body io.Reader) Response {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.base+path, body)
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", media)
	return b.send(r)
}

func (b *Browser) send(r *http.Request) Response {
	b.t.Helper()
	response, err := b.Client.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	a := Response{Status: response.StatusCode, Header: response.Header, Location: response.Header.Get("Location")}
	if strings.HasPrefix(a.Header.Get("Content-Type"), "text/event-stream") {
		a.Body, _ = bufio.NewReader(response.Body).ReadString('\n')
		return a
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	a.Body = string(body)
	a.Document = pagetest.Read(b.t, strings.NewReader(a.Body))
	return a
}

// Line returns the text of the elements that a selector matches, with white space collapsed.
func (a Response) Line(selector string) string {
	return strings.Join(strings.Fields(a.Find(selector).Text()), " ")
}
