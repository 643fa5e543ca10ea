package e2e_test

import (
	"net/http"
	"strings"
	"testing"
)

// A worker is ready while Temporal gives it tasks, and otherwise says why not.
func TestReady_workerKnowsWhetherItPolls(t *testing.T) {
	t.Parallel()
	health := freeAddress(t)
	s := start(t, "", append([]string{"SUPPORTDESK_HEALTH_ADDRESS=" + health}, restless...)...)
	ready := func() (bool, string) {
		r, status, seen := s.ready("http://" + health)
		for _, name := range []string{"worker", "tickets", "emergencies", "emails", "webhooks"} {
			if r.Checks[name].Status != "up" {
				return false, seen
			}
		}
		return status == http.StatusOK, seen
	}
	unready := func() (bool, string) {
		r, status, seen := s.ready("http://" + health)
		away := status == http.StatusServiceUnavailable && r.Status == "unready"
		for _, name := range []string{"tickets", "emails"} {
			away = away && r.Checks[name].Status == "down" && strings.Contains(r.Checks[name].Reason, "Temporal is not responding")
		}
		return away, seen
	}
	eventually(t, "the worker polls", ready)
	s.temporal.Kill()
	eventually(t, "the worker misses Temporal", unready)
	s.temporal.Restart()
	eventually(t, "the worker polls again", ready)
	s.temporal.Freeze()
	eventually(t, "the worker misses an answer", unready)
	s.temporal.Thaw()
	eventually(t, "the worker polls once more", ready)
}
