package main

import (
	"errors"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/webhook"
)

// TestVerify_takesWhatSupportdeskSigns and nothing else.
func TestVerify_takesWhatSupportdeskSigns(t *testing.T) {
	const secret = "0123456789abcdef"
	body, now := []byte(`{"event":"HM-7Q2K9XM4TD-12"}`), time.Now()
	call := func(at time.Time, secret string) http.Header {
		timestamp := strconv.FormatInt(at.Unix(), 10)
		h := http.Header{}
		h.Set(webhook.HeaderTimestamp, timestamp)
		h.Set(webhook.HeaderSignature, "v1="+webhook.Signature(secret, timestamp, body))
		return h
	}
	if err := verify(secret, call(now, secret), body, now); err != nil {
		t.Error(err)
	}
	if err := verify(secret, call(now, "another secret, as long"), body, now); !errors.Is(err, errForged) {
		t.Errorf("another secret: %v", err)
	}
	if err := verify(secret, call(now, secret), append(body, ' '), now); !errors.Is(err, errForged) {
		t.Errorf("another body: %v", err)
	}
	if err := verify(secret, http.Header{}, body, now); !errors.Is(err, errForged) {
		t.Errorf("no signature: %v", err)
	}
	if err := verify(secret, call(now.Add(-time.Hour), secret), body, now); err == nil || errors.Is(err, errForged) {
		t.Errorf("an old call: %v", err)
	}
}
