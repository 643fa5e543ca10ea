package scan_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/scan"
	"github.com/holesalemart/supportdesk/internal/scantest"
)

const mail = "From: a@x.example\r\nTo: b@y.example\r\nSubject: x\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@x.example>\r\n\r\n"

func verdict(t *testing.T, s *scan.Scanner, text string) (scan.Verdict, error) {
	t.Helper()
	return s.Scan(t.Context(), strings.NewReader(text), scan.Meta{
		ClientIP: netip.MustParseAddr("198.51.100.7"), Helo: "mx.x.example", EnvelopeFrom: "a@x.example", Recipients: []string{"b@y.example", "c@y.example\r\nX: y"},
	})
}

func TestScan_asksRealClamd(t *testing.T) {
	for _, unix := range []bool{false, true} {
		s := open(t, scantest.Clamd(t, unix).URL)
		for name, text := range map[string]string{"empty": "", "a mail": mail + "hello", "of many chunks": mail + strings.Repeat("x", 700<<10), "of one chunk": strings.Repeat("x", 64<<10)} {
			if v, err := verdict(t, s, text); err != nil || v != (scan.Verdict{Kind: scan.Clean}) {
				t.Errorf("%s: %+v, %v", name, v, err)
			}
		}
		for name, text := range map[string]string{"a mail": mail + scantest.Virus, "after many chunks": mail + strings.Repeat("x", 300<<10) + scantest.Virus, "between chunks": strings.Repeat("x", 64<<10-7) + scantest.Virus} {
			if v, err := verdict(t, s, text); err != nil || v.Kind != scan.Virus || !strings.HasPrefix(v.Name, "Desk.Test") {
				t.Errorf("%s: %+v, %v", name, v, err)
			}
		}
		for range 5 {
			if v, err := verdict(t, s, strings.Repeat("x", 20<<20)+scantest.Virus); fault.KindOf(err) != fault.TooLarge || v != (scan.Verdict{}) {
				t.Errorf("more than clamd scans: %+v, %v", v, err)
			}
		}
	}
}

func TestScan_asksRealRspamd(t *testing.T) {
	s := open(t, scantest.Rspamd(t).URL)
	if v, err := verdict(t, s, mail+"hello"); err != nil || v.Kind != scan.Clean || v.Limit != 15 {
		t.Errorf("a mail: %+v, %v", v, err)
	}
	if v, err := verdict(t, s, mail+scantest.GTUBE+"\r\n"); err != nil || v.Kind != scan.Spam || v.Name != "GTUBE" || v.Score < 15 {
		t.Errorf("spam: %+v, %v", v, err)
	}
	if v, err := verdict(t, s, mail+strings.Repeat("x", 3<<20)); err == nil || v != (scan.Verdict{}) {
		t.Errorf("more than rspamd scans: %+v, %v", v, err)
	}
}

// killing is a mail in the middle of which something happens to the scanner.
type killing struct {
	io.Reader
	kill func()
}

func (k *killing) Read(p []byte) (int, error) {
	n, err := k.Reader.Read(p)
	if errors.Is(err, io.EOF) && k.kill != nil {
		k.kill()
		k.kill = nil
	}
	return n, err
}

func TestScan_ofAScannerThatIsKilledIsUnavailable(t *testing.T) {
	for name, start := range map[string]func() *scantest.Daemon{
		"clamd": func() *scantest.Daemon { return scantest.Clamd(t, false) }, "clamd on a socket": func() *scantest.Daemon { return scantest.Clamd(t, true) }, "rspamd": func() *scantest.Daemon { return scantest.Rspamd(t) },
	} {
		d := start()
		s := open(t, d.URL)
		middle := io.MultiReader(&killing{strings.NewReader(mail + strings.Repeat("x", 300<<10)), d.Kill}, strings.NewReader(strings.Repeat("y", 300<<10)))
		if v, err := s.Scan(t.Context(), middle, scan.Meta{}); fault.KindOf(err) != fault.Unavailable || v != (scan.Verdict{}) {
			t.Errorf("%s, in the middle: %+v, %v", name, v, err)
		}
		if v, err := verdict(t, s, mail); fault.KindOf(err) != fault.Unavailable || v != (scan.Verdict{}) {
			t.Errorf("%s, afterwards: %+v, %v", name, v, err)
		}
		if err := s.Ready(t.Context()); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%s is ready: %v", name, err)
		}
	}
}

// fakeClamd serves connections on a port until the test ends.
func fakeClamd(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				serve(conn)
			}()
		}
	}()
	return "clamd://" + l.Addr().String()
}

func TestScan_endsWithItsContext(t *testing.T) {
	hanging := make(chan struct{})
	t.Cleanup(func() { close(hanging) })
	for name, address := range map[string]func(reached func()) string{
		"clamd": func(reached func()) string { return fakeClamd(t, func(net.Conn) { reached(); <-hanging }) },
		"rspamd": func(reached func()) string {
			server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				io.Copy(io.Discard, r.Body)
				reached()
				<-r.Context().Done()
			}))
			t.Cleanup(server.Close)
			return "rspamd+" + server.URL
		},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		s := open(t, address(cancel))
		if v, err := s.Scan(ctx, strings.NewReader(strings.Repeat("x", 32<<20)), scan.Meta{}); fault.KindOf(err) != fault.Unavailable || v != (scan.Verdict{}) {
			t.Errorf("%s: %+v, %v", name, v, err)
		}
		s = open(t, address(func() {})+"?timeout=20ms")
		if v, err := verdict(t, s, mail); fault.KindOf(err) != fault.Unavailable || v != (scan.Verdict{}) {
			t.Errorf("%s, with a time-out: %+v, %v", name, v, err)
		}
	}
}

func TestScan_takesGarbageForNoAnswer(t *testing.T) {
	for _, garbage := range []string{
		"", "\x00", "OK\x00", "stream: OK", "stream: \x00", "stream: FOUND\x00", "stream:  FOUND\x00", "stream: Bad\nName FOUND\x00", "stream: é FOUND\x00",
		"stream: " + strings.Repeat("x", 300) + " FOUND\x00", "stream: x ERROR\x00", "UNKNOWN COMMAND\x00", strings.Repeat("x", 1<<20), "HTTP/1.1 200 OK\r\n\r\n",
	} {
		s := open(t, fakeClamd(t, func(c net.Conn) { io.WriteString(c, garbage); c.(*net.TCPConn).CloseWrite(); io.Copy(io.Discard, c) }))
		if v, err := verdict(t, s, mail); fault.KindOf(err) != fault.Unavailable || v != (scan.Verdict{}) {
			t.Errorf("clamd, %.40q: %+v, %v", garbage, v, err)
		}
	}
	for _, garbage := range []string{
		"", "null", "[]", "{}", `{"action":"reject"}`, `{"action":"","score":1}`, `{"score":1}`, `{"action":"dance","score":1}`, `{"action":"no action","score":"1"}`,
		`{"action":"soft reject","score":1}`, `{"action":"no action","score":1}}`, `{"error":"no"}`, `{"action":"no action","score":1}` + strings.Repeat(" ", 2<<20), "stream: OK\x00",
	} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			io.WriteString(w, garbage)
		}))
		if v, err := verdict(t, open(t, "rspamd+"+server.URL), mail); fault.KindOf(err) != fault.Unavailable || v != (scan.Verdict{}) {
			t.Errorf("rspamd, %.40q: %+v, %v", garbage, v, err)
		}
		server.Close()
	}
}

func TestScan_readsRspamdsActions(t *testing.T) {
	var answer string
	status := http.StatusOK
	var got http.Header
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got = r.Header; r.URL.Path == "/elsewhere" {
			io.WriteString(w, `{"action":"no action","score":0}`)
			return
		}
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(status)
		io.WriteString(w, answer)
	}))
	defer server.Close()
	s := open(t, strings.Replace("rspamd+"+server.URL, "http://", "http://:hush@", 1))
	for action, want := range map[string]scan.Kind{"no action": scan.Clean, "greylist": scan.Clean, "add header": scan.Suspect, "rewrite subject": scan.Suspect, "reject": scan.Spam, "discard": scan.Spam} {
		answer = `{"action":"` + action + `","score":7.5,"required_score":15,"symbols":{"B":{"metric_score":4},"A":{"metric_score":4},"C":{"metric_score":-1},"\u0000":{"metric_score":9}},"x":[]}`
		if v, err := verdict(t, s, mail); err != nil || v != (scan.Verdict{Kind: want, Name: "A", Score: 7.5, Limit: 15}) {
			t.Errorf("%s: %+v, %v", action, v, err)
		}
	}
	if got.Get("IP") != "198.51.100.7" || got.Get("Helo") != "mx.x.example" || got.Get("From") != "a@x.example" || strings.Join(got["Rcpt"], ",") != "b@y.example" || got.Get("Password") != "hush" {
		t.Errorf("rspamd is sent %v", got)
	}
	for code, want := range map[int]fault.Kind{302: fault.Unavailable, 403: fault.Unavailable, 413: fault.TooLarge, 500: fault.Unavailable} {
		status = code
		if v, err := verdict(t, s, mail); fault.KindOf(err) != want || v != (scan.Verdict{}) {
			t.Errorf("%d: %+v, %v", code, v, err)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestScan_saysThatTheReaderFailed(t *testing.T) {
	broken := errors.New("the disk is away")
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { io.Copy(io.Discard, r.Body) }))
	defer server.Close()
	for _, address := range []string{"rspamd+" + server.URL, fakeClamd(t, func(c net.Conn) { io.Copy(io.Discard, c) })} {
		r := io.MultiReader(strings.NewReader(strings.Repeat("x", 100<<10)), failing{broken})
		if v, err := open(t, address+"?timeout=30s").Scan(t.Context(), r, scan.Meta{}); !errors.Is(err, broken) || fault.KindOf(err) == fault.Unavailable || v != (scan.Verdict{}) {
			t.Errorf("%s: %+v, %v", address, v, err)
		}
	}
}

func TestOpen_refusesOtherAddresses(t *testing.T) {
	for _, address := range []string{
		"", "clamd", "clamd://", "clamd://host", "clamd://:pass@host:1", "clamd://host:1/path", "clamd+unix://host/path", "clamd+unix:///", "http://host:1", "rspamd://host:1",
		"rspamd+http://host", "rspamd+http://host:1/checkv2", "clamd://host:1?timeout=0s", "clamd://host:1?timeout=x", "clamd://host:1?time=1s", "clamd://host:1#x", "clamd://ho st:secret", "://",
	} {
		if _, err := scan.Open(address); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", address, err)
		}
	}
	for _, address := range []string{"clamd://host:3310", "clamd://[::1]:3310?timeout=5s", "clamd+unix:///run/clamd.ctl", "rspamd+http://host:11333/", "rspamd+https://:p@host:11333"} {
		open(t, address)
	}
}

func open(t testing.TB, address string) *scan.Scanner {
	t.Helper()
	s, err := scan.Open(address)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
