package api_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/holesalemart/supportdesk/api"
	"github.com/holesalemart/supportdesk/api/page"
)

// longPage contains a secret and text of the query, and is long enough to be compressed.
const longPage = `{{define "main"}}<h1>{{.Title}}</h1><p>card 4929 1234</p>{{range .Lines}}<p>{{.}}</p>{{end}}{{end}}`

type longView struct {
	page.Layout
	Lines []string
}

// compressing serves a website over a connection, so that tests see the bytes that are sent.
func compressing(t *testing.T) *httptest.Server {
	t.Helper()
	s := &scripted{}
	h, _ := serve(t, s, withSite(t, s), func(c *api.Config) {
		c.Areas = append(c.Areas, page.Area{
			Name: "long", Templates: fstest.MapFS{"long.html": {Data: []byte(longPage)}},
			Routes: []page.Route{
				page.Get("/long", page.Anyone, func(v *page.Visit) error {
					return v.Show("long", longView{v.Layout(v.Query("q"), ""), strings.Fields(strings.Repeat("words ", 300))})
				}),
				page.Get("/events", page.Anyone, func(v *page.Visit) error {
					return v.Stream(func(ctx context.Context, send func(event, data string) error) error {
						if err := send("changed", strings.Repeat("x", 5000)); err != nil {
							return err
						}
						<-ctx.Done() // until the client has seen it
						return nil
					})
				}),
			},
		})
	})
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server
}

// fetch requests a path and returns the response with its body as it was sent.
func fetch(t *testing.T, server *httptest.Server, method, path string, header ...string) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, server.URL+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := (&http.Transport{DisableCompression: true, DisableKeepAlives: true}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, body
}

func TestCompress_isForPagesAndStaticFilesOnly(t *testing.T) {
	server := compressing(t)
	for _, c := range []struct {
		path, accept, site string
		want               bool
	}{
		{path: "/long?q=x", accept: "gzip, deflate, br, zstd", want: true},
		{path: "/long?q=x", accept: "gzip", site: "same-origin", want: true},
		{path: "/long?q=x", accept: "gzip", site: "none", want: true},
		{path: "/nowhere?" + strings.Repeat("x", 3000), accept: "gzip", want: true},
		{path: "/static/x/vendor/htmx.min.js", accept: "gzip", want: true},
		{path: "/static/x/css/base.css", accept: "gzip", want: true},

		{path: "/long?q=x", accept: "gzip", site: "cross-site"},
		{path: "/long?q=x", accept: "gzip", site: "same-site"},
		{path: "/long?q=x", accept: "identity"},
		{path: "/long?q=x", accept: "gzip;q=0"},
		{path: "/static/x/icon.svg", accept: "gzip"}, // small
		{path: "/api/openapi.json", accept: "gzip"},
		{path: "/api/v1/policy", accept: "gzip"},
		{path: "/api/nowhere", accept: "gzip"},
		{path: "/readyz", accept: "gzip"},
	} {
		header := []string{"Accept-Encoding", c.accept}
		if c.site != "" {
			header = append(header, "Sec-Fetch-Site", c.site)
		}
		response, body := fetch(t, server, http.MethodGet, c.path, header...)
		if got := response.Header.Get("Content-Encoding") == "gzip"; got != c.want {
			t.Errorf("%.40s with %s from %q: compressed is %t", c.path, c.accept, c.site, got)
		}
		isAPI := strings.HasPrefix(c.path, "/api/")
		if vary := strings.Join(response.Header.Values("Vary"), ", "); !isAPI && c.site == "" && strings.Count(vary, "Accept-Encoding") != 1 {
			t.Errorf("%.40s: Vary is %q", c.path, vary)
		}
		if !c.want || !strings.HasPrefix(c.path, "/static/") {
			continue
		}
		if _, plain := fetch(t, server, http.MethodGet, c.path, "Accept-Encoding", "identity"); unpacked(t, body) != string(plain) {
			t.Errorf("%.40s: compressed it is another file", c.path)
		}
	}
}

func unpacked(t *testing.T, body []byte) string {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestCompress_hidesTheLengthOfAPage: who sees how long an answer is must not learn whether a guess in the query repeats
// something of the page.
func TestCompress_hidesTheLengthOfAPage(t *testing.T) {
	server := compressing(t)
	paddings := map[int]bool{}
	for guess := range 20 {
		_, body := fetch(t, server, http.MethodGet, fmt.Sprintf("/long?q=card+%d", 1000+guess), "Accept-Encoding", "gzip")
		r, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		paddings[len(r.Comment)] = true
	}
	if len(paddings) < 5 {
		t.Errorf("20 pages are padded by %v bytes", paddings)
	}
}

func TestCompress_leavesConditionsAndRangesRight(t *testing.T) {
	server := compressing(t)
	const sheet = "/static/x/css/base.css"
	packed, _ := fetch(t, server, http.MethodGet, sheet, "Accept-Encoding", "gzip")
	plain, whole := fetch(t, server, http.MethodGet, sheet)
	tag := packed.Header.Get("ETag")
	if !strings.HasPrefix(tag, `W/"`) || plain.Header.Get("ETag") != tag {
		t.Errorf("the tags are %q and %q", tag, plain.Header.Get("ETag"))
	}
	for _, condition := range []string{tag, `"other", ` + tag, "*"} {
		if again, body := fetch(t, server, http.MethodGet, sheet, "Accept-Encoding", "gzip", "If-None-Match", condition); again.StatusCode != 304 || len(body) > 0 || again.Header.Get("Content-Encoding") != "" {
			t.Errorf("If-None-Match %s: %d with %d bytes, %v", condition, again.StatusCode, len(body), again.Header)
		}
	}
	part, body := fetch(t, server, http.MethodGet, sheet, "Accept-Encoding", "gzip", "Range", "bytes=10-19")
	if part.StatusCode != 206 || part.Header.Get("Content-Encoding") != "" || string(body) != string(whole[10:20]) {
		t.Errorf("a range: %d %v %q", part.StatusCode, part.Header, body)
	}
	head, _ := fetch(t, server, http.MethodHead, sheet, "Accept-Encoding", "gzip")
	if head.StatusCode != 200 || head.ContentLength != int64(len(whole)) || head.Header.Get("Content-Encoding") != "" {
		t.Errorf("HEAD: %d %v", head.StatusCode, head.Header)
	}
}

func TestCompress_holdsNoEventBack(t *testing.T) {
	server := compressing(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/events", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "gzip")
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if got := response.Header.Get("Content-Encoding"); got != "" {
		t.Fatalf("the stream is encoded as %q", got)
	}
	for lines := bufio.NewScanner(response.Body); lines.Scan(); {
		if lines.Text() == "event: changed" {
			return
		}
	}
	t.Error("the event does not come while the stream is open")
}
