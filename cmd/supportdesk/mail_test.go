package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/api"
	"github.com/holesalemart/supportdesk/internal/blob"
	"github.com/holesalemart/supportdesk/internal/config"
	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/scantest"
	"github.com/holesalemart/supportdesk/internal/store"
)

// While the scanner is away no mail is processed, which must be seen elsewhere than in the log. Mail is still received.
func TestMail_isDegradedWhileItsScannerDoesNotAnswer(t *testing.T) {
	clamd := scantest.Clamd(t, false)
	db, err := store.Open(t.Context(), pgtest.Template(t, "cmd", store.Migrate), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	blobs, err := blob.Open(t.Context(), "file://"+t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	n := &dependencies{db: db, blobs: blobs}
	ready := func(address string) (int, string) {
		t.Helper()
		n.config = config.Config{ScannerURL: address}
		scanner, err := n.scanner()
		if err != nil {
			t.Fatal(err)
		}
		answer := httptest.NewRecorder()
		api.Health("test", n.mailChecks(scanner), nil, slog.New(slog.DiscardHandler)).ServeHTTP(answer, httptest.NewRequest("GET", "/readyz", nil))
		return answer.Code, answer.Body.String()
	}
	if code, body := ready(clamd.URL); code != http.StatusOK || !strings.Contains(body, `"status":"ready"`) || !strings.Contains(body, `"scanner":{"status":"up"`) {
		t.Errorf("with a scanner: %d %s", code, body)
	}
	clamd.Kill()
	if code, body := ready(clamd.URL); code != http.StatusOK || !strings.Contains(body, `"status":"degraded"`) || !strings.Contains(body, `"scanner":{"status":"down"`) {
		t.Errorf("without it: %d %s", code, body)
	}
	if _, body := ready(""); strings.Contains(body, "scanner") {
		t.Errorf("none is configured: %s", body)
	}
}
