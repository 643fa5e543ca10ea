package webhook_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/internal/webhook"
)

const (
	number = ticket.Number("HM-7Q2K9XM4TD")
	secret = "a secret of the test's"
)

var now = time.Date(2026, time.November, 23, 10, 0, 7, 0, time.UTC)

// records is a store with one call.
type records struct {
	unused
	call  desk.WebhookDelivery
	since time.Time // the first failed try
}

func newRecords() *records {
	return &records{since: time.Now(), call: desk.WebhookDelivery{Status: desk.DeliveryOwed, WebhookCall: desk.WebhookCall{
		Number: number, N: 3, Event: 12, Webhook: "ops", Clock: "first_response", EscalationStep: 2, Priority: "high",
		Breached: now.Add(-2 * time.Hour), Due: now.Add(-time.Hour), Fired: now,
	}}}
}

func (b *records) Call(context.Context, ticket.Number, int) (desk.WebhookDelivery, error) {
	return b.call, nil
}

func (b *records) SettleDelivery(_ context.Context, _ outbox.Key, status desk.DeliveryStatus, reason string) error {
	b.call.Status, b.call.Reason = status, reason
	return nil
}

func (b *records) DeferDelivery(_ context.Context, _ outbox.Key, reason string, _ time.Duration) (time.Time, error) {
	b.call.Tries, b.call.Reason = b.call.Tries+1, reason
	return b.since, nil
}

// third is the call of newRecords.
var third = outbox.Key{Queue: outbox.Webhooks, Ticket: number, N: 3}

// unused implements the other methods of outbox.Store, which webhook calls don't use.
type unused struct{ outbox.Store }

// received is a request that the endpoint received.
type received struct {
	header http.Header
	body   string
}

// endpoint is an HTTP server that records requests and responds as the test wants.
type endpoint struct {
	*httptest.Server
	mu       sync.Mutex
	received []received
}

func newEndpoint(t *testing.T, answer http.HandlerFunc) *endpoint {
	t.Helper()
	e := &endpoint{}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost {
			t.Errorf("received %s, %v", r.Method, err)
		}
		e.mu.Lock()
		e.received = append(e.received, received{r.Header.Clone(), string(body)})
		e.mu.Unlock()
		answer(w, r)
	}))
	t.Cleanup(e.Close)
	return e
}

func (e *endpoint) all() []received {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.received
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

// calling is an outbox with a caller as its transport.
type calling struct {
	*outbox.Outbox
	*webhook.Caller
}

func caller(b *records, address string) calling {
	c := webhook.NewCaller(b, map[string]webhook.Endpoint{"ops": {URL: address, Secret: secret}}, "https://help.example", slog.New(slog.DiscardHandler))
	c.Now(func() time.Time { return now })
	return calling{outbox.New(b, map[outbox.Queue]outbox.Transport{outbox.Webhooks: c.Load}, slog.New(slog.DiscardHandler)), c}
}

func TestDeliver_saysWhatBrokeAndSignsIt(t *testing.T) {
	e := newEndpoint(t, status(http.StatusNoContent))
	b := newRecords()
	failed, err := caller(b, e.URL).Deliver(t.Context(), third)
	if failed || err != nil || b.call.Status != desk.DeliverySent {
		t.Fatalf("failed %v, %v; the call is %+v", failed, err, b.call)
	}
	got := e.all()[0]
	want := `{"event":"HM-7Q2K9XM4TD-12","kind":"escalated","ticket":"HM-7Q2K9XM4TD","clock":"first_response","escalation_step":2,"priority":"high",` +
		`"promised":"2026-11-23T08:00:07Z","due":"2026-11-23T09:00:07Z","fired":"2026-11-23T10:00:07Z","url":"https://help.example/desk/tickets/HM-7Q2K9XM4TD"}`
	if diff := cmp.Diff(want, got.body); diff != "" {
		t.Errorf("body (-want +got):\n%s", diff)
	}
	for header, want := range map[string]string{
		"Content-Type": "application/json", webhook.HeaderEvent: "HM-7Q2K9XM4TD-12", webhook.HeaderTimestamp: "1795428007",
		// Worked out beside this code: printf '1795428007.BODY' | openssl dgst -sha256 -hmac 'a secret of the test'"'"'s'
		webhook.HeaderSignature: "v1=507faaad1ebd0229d4257395ad4970d66ff7ba6141b6c029fd9badc17689f528",
	} {
		if got.header.Get(header) != want {
			t.Errorf("%s: %s, want %s", header, got.header.Get(header), want)
		}
	}
	if !json.Valid([]byte(got.body)) {
		t.Error("the body is no JSON")
	}
}

// A timeline's numbers are used again in a database that was restored from a backup: it is another event, and is not to be
// taken for the first.
func TestDeliver_namesAnEventByItsEpochToo(t *testing.T) {
	e := newEndpoint(t, status(http.StatusOK))
	b := newRecords()
	b.call.Epoch = 1796000000
	if failed, err := caller(b, e.URL).Deliver(t.Context(), third); failed || err != nil {
		t.Fatal(failed, err)
	}
	const want = "HM-7Q2K9XM4TD-12-1796000000"
	if got := e.all()[0]; got.header.Get(webhook.HeaderEvent) != want || !strings.Contains(got.body, `{"event":"`+want+`",`) {
		t.Errorf("%s: %s in %s", webhook.HeaderEvent, got.header.Get(webhook.HeaderEvent), got.body)
	}
}

func TestDeliver_leavesASettledCallAlone(t *testing.T) {
	e := newEndpoint(t, status(http.StatusOK))
	for state, want := range map[desk.DeliveryStatus]bool{desk.DeliverySent: false, desk.DeliveryFailed: true} {
		b := newRecords()
		b.call.Status = state
		if failed, err := caller(b, e.URL).Deliver(t.Context(), third); failed != want || err != nil {
			t.Errorf("%s: failed %v, %v", state, failed, err)
		}
	}
	if len(e.all()) > 0 {
		t.Error("it was called again")
	}
}

func TestDeliver_triesAgainWhatMayPassAndNothingElse(t *testing.T) {
	for code, c := range map[int]struct {
		again  bool
		reason string
	}{
		500: {true, "HTTP 500"}, 502: {true, "HTTP 502"}, 503: {true, "HTTP 503"}, 429: {true, "HTTP 429"}, 408: {true, "HTTP 408"}, 425: {true, "HTTP 425"},
		400: {false, "HTTP 400"}, 401: {false, "HTTP 401"}, 404: {false, "HTTP 404"}, 410: {false, "HTTP 410"},
		304: {false, "HTTP 304; redirects are not followed"},
	} {
		b := newRecords()
		failed, err := caller(b, newEndpoint(t, status(code)).URL).Deliver(t.Context(), third)
		if (err != nil) != c.again || failed == c.again || b.call.Reason != c.reason {
			t.Errorf("%d: failed %v, %v, %q", code, failed, err, b.call.Reason)
		}
		if c.again && (fault.KindOf(err) != fault.Unavailable || b.call.Status != desk.DeliveryOwed || b.call.Tries != 1) {
			t.Errorf("%d: %v, and the call is %+v", code, err, b.call)
		}
	}
}

// TestDeliver_repeatsItselfUnderOneID: the body of a retry is the same, its time and signature are not.
func TestDeliver_repeatsItselfUnderOneID(t *testing.T) {
	answers := []int{503, 200}
	e := newEndpoint(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(answers[0]); answers = answers[1:] })
	b := newRecords()
	c := caller(b, e.URL)
	if _, err := c.Deliver(t.Context(), third); err == nil {
		t.Fatal("503 is taken for a yes")
	}
	c.Now(func() time.Time { return now.Add(time.Minute) })
	if failed, err := c.Deliver(t.Context(), third); failed || err != nil {
		t.Fatal(failed, err)
	}
	first, second := e.all()[0], e.all()[1]
	if first.body != second.body || first.header.Get(webhook.HeaderEvent) != second.header.Get(webhook.HeaderEvent) {
		t.Errorf("two tries differ:\n%+v\n%+v", first, second)
	}
	if first.header.Get(webhook.HeaderSignature) == second.header.Get(webhook.HeaderSignature) {
		t.Error("two tries a minute apart have one signature")
	}
}

func TestDeliver_followsNoRedirect(t *testing.T) {
	inside := newEndpoint(t, status(http.StatusOK))
	for _, code := range []int{301, 302, 303, 307, 308} {
		e := newEndpoint(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inside.URL, code) })
		b := newRecords()
		if failed, err := caller(b, e.URL).Deliver(t.Context(), third); !failed || err != nil {
			t.Errorf("%d: failed %v, %v", code, failed, err)
		}
	}
	if len(inside.all()) > 0 {
		t.Error("a redirect was followed")
	}
}

func TestDeliver_waitsForNoReceiverForLong(t *testing.T) {
	hang := make(chan struct{})
	defer close(hang)
	e := newEndpoint(t, func(http.ResponseWriter, *http.Request) { <-hang })
	b := newRecords()
	c := caller(b, e.URL)
	c.Hurry(50 * time.Millisecond)
	if failed, err := c.Deliver(t.Context(), third); failed || err == nil || b.call.Reason != "timed out" {
		t.Errorf("failed %v, %v, %q", failed, err, b.call.Reason)
	}
}

func TestDeliver_readsAnEndlessAnswerNoFurtherThanItMust(t *testing.T) {
	gone := make(chan int, 1)
	e := newEndpoint(t, func(w http.ResponseWriter, _ *http.Request) {
		sent := 0
		for chunk := []byte(strings.Repeat("x", 1024)); sent < 1<<30; sent += len(chunk) {
			if _, err := w.Write(chunk); err != nil {
				break
			}
		}
		gone <- sent
	})
	b := newRecords()
	if failed, err := caller(b, e.URL).Deliver(t.Context(), third); failed || err != nil || b.call.Status != desk.DeliverySent {
		t.Errorf("failed %v, %v", failed, err)
	}
	if sent := <-gone; sent > 16<<20 {
		t.Errorf("%d bytes of an answer were taken", sent)
	}
}

func TestDeliver_saysWhyInItsOwnWords(t *testing.T) {
	closed := httptest.NewServer(nil)
	closed.Close()
	secure := httptest.NewTLSServer(status(http.StatusOK))
	defer secure.Close()
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	for address, want := range map[string]string{
		closed.URL + "/?key=hunter2": "connection refused",
		secure.URL + "/?key=hunter2": "its certificate is not trusted",
	} {
		b := newRecords()
		_, err := caller(b, address).Deliver(t.Context(), third)
		if err == nil || b.call.Reason != want || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "127.0.0.1") {
			t.Errorf("%v, %q", err, b.call.Reason)
		}
	}
}

func TestDeliver_leavesUnconfiguredCallsPending(t *testing.T) {
	b := newRecords()
	b.call.Webhook = "unheard-of"
	failed, err := caller(b, "https://ops.example").Deliver(t.Context(), third)
	if failed || fault.KindOf(err) != fault.Unavailable || b.call.Reason != "not configured" || b.call.Status != desk.DeliveryOwed {
		t.Errorf("failed %v, %v; the call is %+v", failed, err, b.call)
	}
}

func TestDeliver_givesUpAfterDaysOfFailing(t *testing.T) {
	e := newEndpoint(t, status(http.StatusInternalServerError))
	for days, want := range map[int]bool{2: false, 3: true} {
		b := newRecords()
		b.since = time.Now().Add(-time.Duration(days) * 24 * time.Hour)
		failed, err := caller(b, e.URL).Deliver(t.Context(), third)
		if failed != want || (err == nil) != want {
			t.Errorf("after %d days: failed %v, %v", days, failed, err)
		}
		if want && b.call.Reason != "given up after 3 days: HTTP 500" {
			t.Errorf("the reason is %q", b.call.Reason)
		}
	}
}

// TestDeliver_thatIsCutShortBlamesNoReceiver: the worker is being stopped.
func TestDeliver_thatIsCutShortBlamesNoReceiver(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	hang := make(chan struct{})
	defer close(hang)
	e := newEndpoint(t, func(http.ResponseWriter, *http.Request) { stop(); <-hang })
	b := newRecords()
	if failed, err := caller(b, e.URL).Deliver(ctx, third); failed || err == nil || b.call.Tries != 0 {
		t.Errorf("failed %v, %v; the call is %+v", failed, err, b.call)
	}
}
