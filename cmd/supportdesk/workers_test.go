package main

import (
	"context"
	"strings"
	"testing"

	"go.temporal.io/sdk/client"

	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/temporaltest"
)

// Every command that needs Temporal reports within seconds that it is down.
func TestCommands_sayThatTemporalIsAway(t *testing.T) {
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	environment := map[string]string{
		"SUPPORTDESK_DATABASE_URL": pgtest.Template(t, "cmd", store.Migrate), "SUPPORTDESK_BLOB_URL": "file://" + t.TempDir(),
	}
	for _, command := range []string{"workers list", "workers promote v1", "workers ramp v1 10", "workers rollback"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			got := call(t, environment, strings.Fields(command)...)
			if got.failure == nil || !strings.HasPrefix(got.failure.Error(), "Temporal has not answered within 10s: ") ||
				!strings.Contains(got.failure.Error(), "Temporal is not responding: ") {
				t.Errorf("it ends with %v", got.failure)
			}
		})
	}
}

// Temporal stops answering as soon as it has made a change: a deployment script must not take that for a failure.
func TestWorkers_aChangeThatWasMadeIsNoFailure(t *testing.T) {
	t.Parallel()
	server := temporaltest.Start(t)
	temporal, err := dispatch.Connect(dispatch.Options{Address: server.HostPort, Namespace: client.DefaultNamespace})
	if err != nil {
		t.Fatal(err)
	}
	defer temporal.Close()
	var stdout, stderr strings.Builder
	p := &program{ctx: t.Context(), stdout: &stdout, stderr: &stderr}
	err = p.changeWorkers(dispatch.NewDeployment(temporal, "desk"), func(context.Context) error {
		server.Freeze()
		return nil
	})
	defer server.Thaw()
	if err != nil || !strings.HasPrefix(stderr.String(), "the change was made; list the versions: Temporal has not answered within 10s") {
		t.Errorf("it ends with %v and %q", err, stderr.String())
	}
}

func TestWorkers_aShareIsANumber(t *testing.T) {
	for _, share := range []string{"NaN", "-1", "101"} {
		if got := call(t, nil, "workers", "ramp", "v1", "--", share); got.failure == nil || !strings.Contains(got.failure.Error(), "not a number from 0 to 100") {
			t.Errorf("%s: it ends with %v", share, got.failure)
		}
	}
}
