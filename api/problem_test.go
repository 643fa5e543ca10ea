package api_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holesalemart/supportdesk/api"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// secret stands for what a cause may say.
const secret = "dial tcp 10.0.0.7:5432: password=hunter2"

func TestProblem_statusOfEveryFault(t *testing.T) {
	for kind, status := range map[fault.Kind]int{
		fault.Internal: 500, fault.Invalid: 422, fault.Unauthenticated: 401, fault.Forbidden: 403, fault.NotFound: 404,
		fault.Conflict: 409, fault.TooLarge: 413, fault.Limited: 429, fault.Unavailable: 503,
	} {
		h, log := serve(t, &scripted{err: fault.Wrap(errors.New(secret), kind, "the message")})
		a := do(t, h, call{method: "GET", path: "/api/v1/policy"})
		if a.Code != status || a.problem.Type != "urn:supportdesk:problem:"+kind.String() {
			t.Errorf("%s: %d %+v", kind, a.Code, a.problem)
		}
		if shown := a.problem.Detail == "the message"; shown != (kind != fault.Internal) {
			t.Errorf("%s: shows %q", kind, a.problem.Detail)
		}
		if strings.Contains(a.Body.String(), "hunter2") {
			t.Errorf("%s: the cause is shown: %s", kind, a.Body)
		}
		if retry := a.Header().Get("Retry-After"); (retry != "") != (status == 503 || status == 429) {
			t.Errorf("%s: Retry-After %q", kind, retry)
		}
		if logged := strings.Contains(log.String(), "hunter2"); logged != (status >= 500) {
			t.Errorf("%s: the cause is logged: %v", kind, logged)
		}
	}
}

func TestProblem_unclassifiedErrorsAreInternal(t *testing.T) {
	h, log := serve(t, &scripted{err: errors.New(secret)}, func(c *api.Config) { c.TrustedProxies = []string{"192.0.2.1"} })
	a := do(t, h, call{method: "GET", path: "/api/v1/policy", header: http.Header{"X-Request-Id": {"req-1"}}})
	if a.Code != 500 || strings.Contains(a.Body.String(), "hunter2") || a.problem.RequestID != "req-1" {
		t.Errorf("%d %s", a.Code, a.Body)
	}
	if !strings.Contains(log.String(), "hunter2") || !strings.Contains(log.String(), `"request_id":"req-1"`) {
		t.Errorf("logged: %s", log)
	}
}

func TestProblem_panicsAreAnsweredAndLogged(t *testing.T) {
	h, log := serve(t, &scripted{panics: secret})
	a := do(t, h, call{method: "POST", path: "/api/v1/tickets", as: "customer", body: `{"subject":"s","body":"b"}`})
	if a.Code != 500 || strings.Contains(a.Body.String(), "hunter2") {
		t.Errorf("%d %s", a.Code, a.Body)
	}
	if !strings.Contains(log.String(), "hunter2") || !strings.Contains(log.String(), "scripted_test.go") {
		t.Errorf("no stack was logged: %s", log)
	}
}

// TestProblem_brokenAnswersAreCut: a client must not take half an answer for a whole one.
func TestProblem_brokenAnswersAreCut(t *testing.T) {
	for level, err := range map[string]error{
		"INFO":  &net.OpError{Op: "write", Err: syscall.EPIPE},
		"ERROR": errors.New("a defect"),
	} {
		var seen observed
		h, log := serve(t, &scripted{}, func(c *api.Config) { c.Requests = &seen })
		func() {
			defer func() {
				if recover() != http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
					t.Errorf("%v: the connection is not cut", err)
				}
			}()
			h.ServeHTTP(brokenWriter{httptest.NewRecorder(), err}, httptest.NewRequest("GET", "/api/v1/policy", nil))
		}()
		if !strings.Contains(log.String(), `"level":"`+level+`"`) {
			t.Errorf("%v: logged %s", err, log)
		}
		if want := map[string]int{"INFO": 499, "ERROR": 500}[level]; seen.status != want {
			t.Errorf("%v: observed as %d", err, seen.status)
		}
	}
}

// observed is the status by which the last request was observed.
type observed struct{ status int }

func (o *observed) Begin(r *http.Request, _, _ string, _ bool) (context.Context, func(int, bool)) {
	return r.Context(), func(status int, _ bool) { o.status = status }
}

type brokenWriter struct {
	*httptest.ResponseRecorder
	err error
}

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

func TestProblem_clientsThatHangUpAreNoErrors(t *testing.T) {
	h, log := serve(t, &scripted{hang: true})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/api/v1/policy", nil).WithContext(ctx))
	if w.Code != 499 || !strings.Contains(log.String(), `"level":"INFO"`) {
		t.Errorf("%d, logged %s", w.Code, log)
	}
}

func TestProblem_hangingNeighboursAreUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := serve(t, &scripted{hang: true})
		a := do(t, h, call{method: "GET", path: "/api/v1/policy"})
		if a.Code != 503 || a.Header().Get("Retry-After") == "" {
			t.Errorf("%d %v", a.Code, a.Header())
		}
	})
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

func TestProblem_bodiesThatDoNotCome(t *testing.T) {
	for name, c := range map[string]struct {
		body   io.Reader
		status int
	}{
		"cut":     {io.MultiReader(strings.NewReader(`{"subj`), failingReader{io.ErrUnexpectedEOF}), 400},
		"late":    {failingReader{&net.OpError{Op: "read", Err: context.DeadlineExceeded}}, 408},
		"endless": {io.LimitReader(zeros{}, 10<<20), 413},
	} {
		h, log := serve(t, &scripted{})
		r := httptest.NewRequest("POST", "/api/v1/tickets", c.body)
		r.ContentLength = -1
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer customer")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != c.status || strings.Contains(log.String(), "ERROR") {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return copy(p, bytes.Repeat([]byte("0"), len(p))), nil }

func TestVisit_requestIDs(t *testing.T) {
	h, _ := serve(t, &scripted{}, func(c *api.Config) { c.TrustedProxies = []string{"192.0.2.0/24", "2001:db8::1"} })
	for given, kept := range map[string]bool{
		"a-B_9.z": true, "": false, "with space": false, "line\nbreak": false, "quote\"": false, strings.Repeat("x", 65): false,
	} {
		a := do(t, h, call{method: "GET", path: "/healthz", header: http.Header{"X-Request-Id": {given}}})
		if got := a.Header().Get("X-Request-ID"); (got == given) != kept || len(got) > 64 {
			t.Errorf("%q became %q", given, got)
		}
	}
	for from, kept := range map[string]bool{
		"192.0.2.255:1": true, "[::ffff:192.0.2.1]:1": true, "[2001:db8::1]:1": true, "198.51.100.1:1": false, "[2001:db8::2]:1": false, "": false,
	} {
		if from == "" {
			from = "no address"
		}
		a := do(t, h, call{method: "GET", path: "/healthz", from: from, header: http.Header{"X-Request-Id": {"given"}, "X-Forwarded-For": {"192.0.2.1"}}})
		if got := a.Header().Get("X-Request-ID"); (got == "given") != kept {
			t.Errorf("from %s it became %q", from, got)
		}
	}
}

func TestLog_holdsNoWordsAndNoTokens(t *testing.T) {
	h, log := serve(t, &scripted{})
	body := `{"subject":"canary-subject","body":"canary-body"}`
	do(t, h, call{method: "POST", path: "/api/v1/tickets", as: "customer", body: body})
	do(t, h, call{method: "POST", path: "/api/v1/tickets", as: "canary-token", body: body})
	do(t, h, call{method: "POST", path: "/api/v1/tickets", as: "customer", body: body + "canary-rest"})
	do(t, h, call{method: "GET", path: "/api/v1/tickets?q=canary-query", as: "agent"})
	if text := log.String(); strings.Contains(text, "canary") || strings.Contains(text, "Bearer") || strings.Count(text, "\n") != 4 {
		t.Errorf("logged: %s", text)
	}
}

func TestAnswers_areJSONWhateverIsAccepted(t *testing.T) {
	h, _ := serve(t, &scripted{})
	for _, accept := range []string{"", "*/*", "json", "text/html", "application/xml;q=0.1", "application/cbor"} {
		a := do(t, h, call{method: "GET", path: "/api/v1/policy", header: http.Header{"Accept": {accept}}})
		if got := a.Header().Get("Content-Type"); a.Code != 200 || got != "application/json" {
			t.Errorf("Accept %q: %d %q", accept, a.Code, got)
		}
	}
}

// TestIntake_leavesNoReadDeadline: one that passed while a handler works would look like a client that has gone.
func TestIntake_leavesNoReadDeadline(t *testing.T) {
	h, _ := serve(t, &scripted{})
	w := &deadlines{ResponseRecorder: httptest.NewRecorder()}
	r := httptest.NewRequest("POST", "/api/v1/tickets", strings.NewReader(`{"subject":"s","body":"b"}`))
	r.Header = http.Header{"Authorization": {"Bearer customer"}, "Content-Type": {"application/json"}}
	h.ServeHTTP(w, r)
	if w.Code != 201 || !w.last.IsZero() {
		t.Errorf("%d, reading ends at %v", w.Code, w.last)
	}
}

type deadlines struct {
	*httptest.ResponseRecorder
	last time.Time
}

func (d *deadlines) SetReadDeadline(at time.Time) error { d.last = at; return nil }
