package api_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/api"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/inbound"
)

const (
	relaySecret = "0123456789abcdef"
	relayed     = "From: carla@shop.example\r\nSubject: Hello\r\n\r\nWhere is it?\r\n"
	relayLimit  = 64 << 10
)

// openRelay returns a fixture whose API receives mails.
func openRelay(t *testing.T) *fixture {
	t.Helper()
	o := openFixture(t)
	var err error
	o.Handler, err = api.New(api.Config{
		Desk: o.Desk, People: o.Store, Log: slog.New(slog.DiscardHandler), Relayed: api.Relayed{
			Receiver: inbound.NewReceiver(o.Blobs, o.Store, relayLimit), Secret: relaySecret, Own: inbound.Addresses{"support@desk.example": ""}.Accepts,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// relaySignature returns the headers of a mail that is posted to relayPath.
func relaySignature(at time.Time, body string) http.Header { return signatureOf(relayPath, at, body) }

func signatureOf(path string, at time.Time, body string) http.Header {
	timestamp, digest := strconv.FormatInt(at.Unix(), 10), fmt.Sprintf("%x", sha256.Sum256([]byte(body)))
	_, query, _ := strings.Cut(path, "?")
	mac := hmac.New(sha256.New, []byte(relaySecret))
	mac.Write([]byte(timestamp + "." + query + "." + digest))
	return http.Header{
		"Supportdesk-Timestamp": {timestamp}, "Supportdesk-Digest": {digest}, "Supportdesk-Signature": {"v1=" + hex.EncodeToString(mac.Sum(nil))},
	}
}

const relayPath = "/api/v1/incoming-mails?from=carla@shop.example&to=support%2Btoken@desk.example&to=other@elsewhere.example"

// blobs counts the stored contents.
func (o *fixture) blobs() (n int) {
	o.t.Helper()
	for _, err := range o.Blobs.List(o.t.Context(), time.Now().Add(time.Hour)) {
		if err != nil {
			o.t.Fatal(err)
		}
		n++
	}
	return n
}

func TestIncomingMails_areStored(t *testing.T) {
	o := openRelay(t)
	a := do(t, o, call{method: "POST", path: relayPath, body: relayed, media: "message/rfc822", header: relaySignature(time.Now(), relayed)})
	if a.Code != http.StatusCreated {
		t.Fatal(a.Code, a.Body)
	}
	m, err := o.Incoming(t.Context(), decode[struct{ ID int64 }](t, a).ID)
	if err != nil {
		t.Fatal(err)
	}
	if m.Source != desk.SourceHTTP || m.ReturnPath != "carla@shop.example" || len(m.Recipients) != 1 || m.Recipients[0] != "support+token@desk.example" ||
		m.Size != int64(len(relayed)) || m.Status != desk.IncomingReceived {
		t.Errorf("%+v", m)
	}
}

func TestIncomingMails_leaveNothingUnlessSigned(t *testing.T) {
	o := openRelay(t)
	changed := strings.Replace(relayed, "it", "IT", 1)
	large := relayed + strings.Repeat("x", relayLimit)
	const elsewhere = "/api/v1/incoming-mails?to=other@elsewhere.example"
	for name, c := range map[string]struct {
		path, body string
		header     http.Header
		status     int
	}{
		"without":        {relayPath, relayed, nil, http.StatusUnauthorized},
		"changed":        {relayPath, changed, relaySignature(time.Now(), relayed), http.StatusUnauthorized},
		"cut short":      {relayPath, relayed[:20], relaySignature(time.Now(), relayed), http.StatusUnauthorized},
		"empty":          {relayPath, "", relaySignature(time.Now(), relayed), http.StatusUnauthorized},
		"old":            {relayPath, relayed, relaySignature(time.Now().Add(-6*time.Minute), relayed), http.StatusUnauthorized},
		"ahead":          {relayPath, relayed, relaySignature(time.Now().Add(6*time.Minute), relayed), http.StatusUnauthorized},
		"of no time":     {relayPath, relayed, http.Header{"Supportdesk-Timestamp": {"now"}, "Supportdesk-Signature": relaySignature(time.Now(), relayed)["Supportdesk-Signature"]}, http.StatusUnauthorized},
		"short":          {relayPath, relayed, http.Header{"Supportdesk-Timestamp": relaySignature(time.Now(), relayed)["Supportdesk-Timestamp"], "Supportdesk-Signature": {"v1=00"}}, http.StatusUnauthorized},
		"to another":     {strings.Replace(relayPath, "token", "other", 1), relayed, relaySignature(time.Now(), relayed), http.StatusUnauthorized},
		"for others":     {elsewhere, relayed, signatureOf(elsewhere, time.Now(), relayed), http.StatusUnprocessableEntity},
		"for no one":     {"/api/v1/incoming-mails", relayed, relaySignature(time.Now(), relayed), http.StatusUnprocessableEntity},
		"large":          {relayPath, large, relaySignature(time.Now(), large), http.StatusRequestEntityTooLarge},
		"large unsigned": {relayPath, large, nil, http.StatusUnauthorized},
	} {
		a := do(t, o, call{method: "POST", path: c.path, body: c.body, media: "message/rfc822", header: c.header})
		if a.Code != c.status {
			t.Errorf("%s: %d %s, want %d", name, a.Code, a.Body, c.status)
		}
	}
	if _, found, err := o.ClaimIncoming(t.Context(), "attempt", time.Minute); found || err != nil {
		t.Errorf("a mail is stored: %v", err)
	}
	if n := o.blobs(); n != 0 {
		t.Errorf("%d contents are stored", n)
	}
}

func TestIncomingMails_areOffWithoutASecret(t *testing.T) {
	o := openFixture(t)
	a := do(t, o, call{method: "POST", path: relayPath, body: relayed, media: "message/rfc822", header: relaySignature(time.Now(), relayed)})
	if a.Code != http.StatusServiceUnavailable {
		t.Errorf("%d %s", a.Code, a.Body)
	}
}
