package main

import (
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/holesalemart/supportdesk/api"
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
	n := &dependencies{db: db, temporal: temporal}
	defer n.close()
	answer := httptest.NewRecorder()
	api.Health("test", n.workerChecks(new(atomic.Bool)), nil, slog.New(slog.DiscardHandler)).
		ServeHTTP(answer, httptest.NewRequest("GET", "/readyz", nil))
	if body := answer.Body.String(); !strings.Contains(body, `"writes":{"status":"down"`) || !strings.Contains(body, `"postgresql":{"status":"up"`) {
		t.Errorf("it answers %s", body)
	}
}
