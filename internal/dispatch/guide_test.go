package dispatch_test

import (
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestGuide_namesEveryManualCommand(t *testing.T) {
	guide := dispatch.Guide()
	for _, d := range ticket.Definitions() {
		if got, want := strings.Contains(guide, "**"+string(d.Verb)+"**"), d.Manual != ""; got != want {
			t.Errorf("it names %s: %t, want %t", d.Verb, got, want)
		}
	}
	if want := `**snooze** {"until": "2026-12-03T09:00:00Z"}`; !strings.Contains(guide, want) {
		t.Errorf("it lacks the example %s", want)
	}
	if len(guide) > 1000 {
		t.Errorf("it has %d bytes, which every history repeats", len(guide))
	}
	if t.Failed() {
		t.Log(guide)
	}
}
