package main

import (
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/store"
)

// An operator is told soon that Temporal is away, by every command that asks it.
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
