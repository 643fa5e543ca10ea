package api_test

import (
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
)

type listed struct {
	Tickets []struct {
		Number, Subject string
		Pending         bool
		Next            *struct{ Kind string }
	}
	Next string
}

// TestList_cursorsComeBack: the next request passes the cursor that a page returns to the store. A ticket before its
// first step is stored without a due event, and so is last in the list of staff.
func TestList_cursorsComeBack(t *testing.T) {
	for who, want := range map[string]desk.Cursor{
		"customer": {Instant: submittedAt, Number: someNumber},
		"agent":    {Number: someNumber},
	} {
		s := &scripted{}
		h, _ := serve(t, s)
		filters := "?status=new&assignee=anna&priority=low&category=order&limit=1"
		if who == "agent" {
			filters += "&queue=unassigned"
		}
		a := do(t, h, call{method: "GET", path: "/api/v1/tickets" + filters + "&q=" + url.QueryEscape(`"a b" -c&d`), as: who})
		first := decode[listed](t, a)
		if a.Code != 200 || len(first.Tickets) != 1 || first.Next == "" || !first.Tickets[0].Pending {
			t.Fatalf("%s: %d %s", who, a.Code, a.Body)
		}
		link, rel, _ := strings.Cut(strings.TrimPrefix(a.Header().Get("Link"), "<"), ">")
		if rel != `; rel="next"` || !strings.Contains(link, "cursor="+first.Next) {
			t.Fatalf("%s: Link %q", who, a.Header().Get("Link"))
		}
		if a := do(t, h, call{method: "GET", path: link, as: who}); a.Code != 200 {
			t.Fatalf("%s: following the link: %d %s", who, a.Code, a.Body)
		}
		asked, next := s.filters[0], s.filters[1]
		if !next.After.Instant.Equal(want.Instant) || next.After.Number != want.Number {
			t.Errorf("%s: the store is asked for what comes after %+v, want %+v", who, next.After, want)
		}
		asked.After, next.After = desk.Cursor{}, desk.Cursor{}
		if !reflect.DeepEqual(asked, next) || asked.Text != `"a b" -c&d` || asked.Limit != 1 || asked.Viewer.ID != people[who].ID {
			t.Errorf("%s: the second page asks for %+v, the first for %+v", who, next, asked)
		}
	}
}

func TestList_queuesAreForStaff(t *testing.T) {
	h, _ := serve(t, &scripted{})
	for query, status := range map[string]int{"queue=breached": 422, "queue=mine": 422, "queue=all": 200} {
		if a := do(t, h, call{method: "GET", path: "/api/v1/tickets?" + query, as: "customer"}); a.Code != status {
			t.Errorf("%s: %d", query, a.Code)
		}
	}
}

func TestList_limitByDefault(t *testing.T) {
	s := &scripted{}
	h, _ := serve(t, s)
	do(t, h, call{method: "GET", path: "/api/v1/tickets", as: "agent"})
	if len(s.filters) != 1 || s.filters[0].Limit != 25 {
		t.Errorf("asked for %+v", s.filters)
	}
}

// TestNext_isForStaffWhereItIsInternal: the ticket's first due event is the reminder, which customers are not shown.
func TestNext_isForStaffWhereItIsInternal(t *testing.T) {
	h, _ := serve(t, &scripted{})
	for who, shown := range map[string]bool{"customer": false, "agent": true} {
		for _, path := range []string{at, "/api/v1/tickets"} {
			a := do(t, h, call{method: "GET", path: path, as: who})
			if got := strings.Contains(a.Body.String(), `"kind":"remind"`); got != shown {
				t.Errorf("%s %s: %s", who, path, a.Body)
			}
		}
		a := do(t, h, call{method: "GET", path: at, as: who})
		if got := strings.Contains(a.Body.String(), `"escalation":0`); got != shown {
			t.Errorf("%s: %s", who, a.Body)
		}
	}
}

// TestTicket_aNoteIsNoChangeToItsRequester: a customer reads when something last happened that they may see, and staff
// when anything did, of one ticket and of many.
func TestTicket_aNoteIsNoChangeToItsRequester(t *testing.T) {
	for who, want := range map[string]string{"customer": `"updated_at":"2026-11-30T11:00:00Z"`, "agent": `"updated_at":"2026-11-30T12:00:00Z"`} {
		h, _ := serve(t, &scripted{})
		for _, path := range []string{"/api/v1/tickets", "/api/v1/tickets/" + someNumber} {
			if a := do(t, h, call{method: "GET", path: path, as: who}); !strings.Contains(a.Body.String(), want) {
				t.Errorf("%s %s: %s", who, path, a.Body)
			}
		}
	}
}

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
