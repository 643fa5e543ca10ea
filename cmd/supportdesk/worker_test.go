package main

import (
	"crypto/ed25519"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/holesalemart/supportdesk/api"
	"github.com/holesalemart/supportdesk/internal/blob"
	"github.com/holesalemart/supportdesk/internal/config"
	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/store"
)

func TestWorker_isUnreadyWhereItCanOnlyRead(t *testing.T) {
	dsn := pgtest.Template(t, "cmd", store.Migrate)
	db, err := store.Open(t.Context(), dsn+"&default_transaction_read_only=on", store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	temporal, err := dispatch.Connect(dispatch.Options{Address: "127.0.0.1:1"})
	if err != nil {
		t.Fatal(err)
	}
	blobs, err := blob.Open(t.Context(), "file://"+t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	n := &dependencies{db: db, blobs: blobs, temporal: temporal}
	defer n.close()
	answer := httptest.NewRecorder()
	api.Health("test", n.workerChecks(new(atomic.Bool), "nobody"), nil, slog.New(slog.DiscardHandler)).
		ServeHTTP(answer, httptest.NewRequest("GET", "/readyz", nil))
	if body := answer.Body.String(); !strings.Contains(body, `"writes":{"status":"down"`) || !strings.Contains(body, `"postgresql":{"status":"up"`) {
		t.Errorf("it answers %s", body)
	}
}

func TestMailConfig_readsTheKeyThatSigns(t *testing.T) {
	dir := t.TempDir()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file, garbage := filepath.Join(dir, "dkim.pem"), filepath.Join(dir, "garbage")
	if err := errors.Join(os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600), os.WriteFile(garbage, der, 0o600)); err != nil {
		t.Fatal(err)
	}
	c := config.Config{DKIMSelector: "desk", DKIMDomain: "shop.example", DKIMKeyFile: file, ReplyAddress: "support@shop.example"}
	got, err := mailConfig(c)
	if err != nil || !key.Equal(got.DKIM.Key) || got.DKIM.Selector != "desk" || got.DKIM.Domain != "shop.example" || got.Replies != "support@shop.example" {
		t.Errorf("got %+v, %v", got.DKIM, err)
	}
	for _, wrong := range []string{garbage, dir, filepath.Join(dir, "missing")} {
		c.DKIMKeyFile = wrong
		if _, err := mailConfig(c); err == nil || !strings.Contains(err.Error(), "SUPPORTDESK_DKIM_KEY_FILE") || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%s: %v", wrong, err)
		}
	}
	if got, err := mailConfig(config.Config{}); err != nil || got.DKIM.Key != nil {
		t.Errorf("without a key: %+v, %v", got.DKIM, err)
	}
}
