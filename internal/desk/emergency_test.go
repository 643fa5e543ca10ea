package desk_test

import (
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestNoticesAt_listsInForceFirstAndOmitsOver(t *testing.T) {
	hour := time.Hour
	named := func(text string, e desk.Emergency) desk.Emergency {
		e.Notice = text
		return e
	}
	all := []desk.Emergency{
		named("planned late", closure(noon.Add(3*hour), time.Time{})),
		named("over", closure(noon.Add(-2*hour), noon)),
		named("planned", delay(noon.Add(2*hour), ticket.Delay{From: noon.Add(2 * hour), By: hour})),
		named("off", cancelled(closure(noon.Add(hour), time.Time{}))),
		named("begins now", closure(noon, noon.Add(time.Second))),
		named("delayed", delay(noon.Add(-hour), ticket.Delay{From: noon.Add(-hour), By: hour}, ticket.Delay{From: noon, By: 3 * hour})),
	}
	var texts []string
	for _, n := range desk.NoticesAt(all, noon) {
		texts = append(texts, n.Text)
		if n.InForce != (n.Text == "delayed" || n.Text == "begins now") {
			t.Errorf("%s: in force %t", n.Text, n.InForce)
		}
		if want := map[string]time.Duration{"delayed": 3 * hour, "planned": hour}[n.Text]; n.By != want {
			t.Errorf("%s: by %s, want %s", n.Text, n.By, want)
		}
	}
	if got := len(texts); got != 4 || texts[0] != "delayed" || texts[1] != "begins now" || texts[2] != "planned" || texts[3] != "planned late" {
		t.Errorf("texts %q", texts)
	}
}
