package api_test

import (
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// TestNext_showsCustomersTheEarliestEventThatTheyMaySee: neither a reminder nor a snooze hides the deadline after it.
func TestNext_showsCustomersTheEarliestEventThatTheyMaySee(t *testing.T) {
	o := openFixture(t)
	path := o.submit("clara", `{"subject": "Late parcel", "body": "Where is it?"}`)
	type next struct{ Kind, Clock string }
	check := func(who string, want next) {
		t.Helper()
		read := decode[struct{ Next next }](t, o.do(who, 200, "GET", path, "")).Next
		listed := decode[struct{ Tickets []struct{ Next next } }](t, o.do(who, 200, "GET", "/api/v1/tickets", "")).Tickets[0].Next
		if read != want || listed != want {
			t.Errorf("%s reads %v and lists %v, want %v", who, read, listed, want)
		}
	}
	check("anna", next{"remind", "resolution"})
	check("clara", next{"breach", "resolution"})
	until := time.Now().Add(time.Minute).UTC().Format(time.RFC3339)
	o.do("anna", 200, "POST", path+"/snooze", `{"until": "`+until+`"}`)
	check("anna", next{Kind: "wake"})
	check("clara", next{"breach", "resolution"})
}

// TestSnooze_takesAnInstantAndNothingElse, in any zone.
func TestSnooze_takesAnInstantAndNothingElse(t *testing.T) {
	for body, status := range map[string]int{
		`{"until": "2026-12-03T09:00:00Z"}`:      200,
		`{"until": "2026-12-03T10:00:00+01:00"}`: 200,
		`{"until": "tomorrow"}`:                  422,
		`{"until": ""}`:                          422,
		`{"until": 7}`:                           422,
		`{}`:                                     422,
		``:                                       400,
	} {
		s := &scripted{}
		h, _ := serve(t, s)
		a := do(t, h, call{method: "POST", path: "/api/v1/tickets/" + someNumber + "/snooze", as: "agent", body: body})
		if a.Code != status || status == 422 && !strings.Contains(a.Body.String(), `"until"`) {
			t.Errorf("%s: %d %s", body, a.Code, a.Body)
		}
		if status == 200 && (len(s.requested) != 1 || s.requested[0].Verb != ticket.VerbSnooze ||
			!s.requested[0].Until.Equal(time.Date(2026, 12, 3, 9, 0, 0, 0, time.UTC))) {
			t.Errorf("%s: asked for %+v", body, s.requested)
		}
		if status != 200 && len(s.requested) > 0 {
			t.Errorf("%s: asked for %+v", body, s.requested)
		}
	}
}
