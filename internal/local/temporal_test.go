package local_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/local"
)

// server is the built Temporal server of this repository.
const server = "../../bin/supportdesk-temporal"

func temporalBinary(t *testing.T) string {
	t.Helper()
	path, err := filepath.Abs(server)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestStartTemporal_servesItsUI(t *testing.T) {
	t.Parallel()
	ui := unusedPort(t)
	opts := local.TemporalOptions{
		Binary: temporalBinary(t), DB: filepath.Join(t.TempDir(), "new", "temporal.db"), UIPort: ui,
	}
	temporal, err := local.StartTemporal(t.Context(), opts)
	if err != nil {
		t.Fatalf("start Temporal (make bin/supportdesk-temporal builds it): %v", err)
	}
	t.Cleanup(temporal.Kill)
	for path, want := range map[string]string{"/": "<html", "/api/v1/namespaces/default": "2592000s"} {
		if got := get(t, temporal.UI+path); !strings.Contains(got, want) {
			t.Errorf("%s does not hold %q: %.300s", path, want, got)
		}
	}

	again := opts
	again.DB = filepath.Join(t.TempDir(), "temporal.db")
	_, err = local.StartTemporal(t.Context(), again)
	refused(t, err, fault.Conflict, "is in use", "web UI")

	again = opts
	again.UIPort = 0
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, err = local.StartTemporal(ctx, again)
	refused(t, err, fault.Conflict, "another Temporal server is using "+opts.DB)
}

func TestStartTemporal_saysWhyItCannotStart(t *testing.T) {
	t.Parallel()
	_, err := local.StartTemporal(t.Context(), local.TemporalOptions{
		Binary: "/bin/false", DB: filepath.Join(t.TempDir(), "temporal.db"),
	})
	if err == nil || !strings.Contains(err.Error(), "Temporal ended") {
		t.Errorf("error = %v", err)
	}
}

func TestFindTemporal_saysHowToBuildIt(t *testing.T) {
	t.Setenv("SUPPORTDESK_TEMPORAL_BIN", "/nonexistent/temporal")
	_, err := local.FindTemporal()
	refused(t, err, fault.Unavailable, "/nonexistent/temporal", "make bin/supportdesk-temporal")
	t.Setenv("SUPPORTDESK_TEMPORAL_BIN", temporalBinary(t))
	if got, err := local.FindTemporal(); err != nil || got != temporalBinary(t) {
		t.Errorf("FindTemporal() = %q, %v", got, err)
	}
}

func unusedPort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().(*net.TCPAddr).Port
}

func get(t *testing.T, url string) string {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
