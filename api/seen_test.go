package api_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// TestCommand_refusesOverUnseenWords and names them, for each route whose body can say what was seen.
func TestCommand_refusesOverUnseenWords(t *testing.T) {
	o := openFixture(t)
	for _, c := range []struct {
		who, path, body string
		others          string // who writes meanwhile
	}{
		{"anna", "/replies", `"body":"b",`, "clara"},
		{"anna", "/information-requests", `"body":"b",`, "clara"},
		{"anna", "/progress", `"body":"b",`, "clara"},
		{"anna", "/resolution", `"body":"b",`, "clara"},
		{"anna", "/closure", ``, "clara"},
		{"clara", "/replies", `"body":"b",`, "anna"},
		{"clara", "/withdrawal", ``, "anna"},
		{"clara", "/confirmation", ``, "anna"},
	} {
		t.Run(c.who+c.path, func(t *testing.T) {
			self := o.do("clara", 201, "POST", "/api/v1/tickets", `{"subject":"s","body":"b"}`).Header().Get("Location")
			o.do("anna", 200, "POST", self+"/notes", `{"body":"no customer's business"}`)
			o.do(c.others, 200, "POST", self+"/replies", `{"body":"one"}`)
			o.do(c.others, 200, "POST", self+"/replies", `{"body":"two"}`)
			if c.path == "/confirmation" {
				o.do("anna", 200, "POST", self+"/resolution", `{"body":"three"}`)
			}
			seen := o.entries(c.who, self)
			var unseen []int
			for _, e := range seen.Entries {
				if e.By.ID != string(o.People[c.who].ID) && e.Body != "" && e.N > 2 {
					unseen = append(unseen, e.N)
				}
			}
			a := o.do(c.who, 409, "POST", self+c.path, fmt.Sprintf(`{%s"seen":2}`, c.body))
			if got := decode[struct{ Unseen []int }](t, a).Unseen; a.problem.Code != ticket.CodeUnseen || len(got) < 2 || !slices.Equal(got, unseen) {
				t.Errorf("%s, want %v", a.Body, unseen)
			}
			last := o.entries(c.who, self).Entries
			o.do(c.who, 200, "POST", self+c.path, fmt.Sprintf(`{%s"seen":%d}`, c.body, last[len(last)-1].N))
		})
	}
}

func (o *fixture) entries(who, self string) timelineJSON {
	o.t.Helper()
	return decode[timelineJSON](o.t, o.do(who, 200, "GET", self+"/timeline", ""))
}

func TestCommand_seenIsAnEntryOfTheTimeline(t *testing.T) {
	o := openFixture(t)
	self := o.do("clara", 201, "POST", "/api/v1/tickets", `{"subject":"s","body":"b"}`).Header().Get("Location")
	for _, seen := range []string{"0", "-1", "99", "1.5", `"1"`, "9223372036854775807", "1e99"} {
		if a := o.do("anna", 422, "POST", self+"/replies", `{"body":"b","seen":`+seen+`}`); !slices.Contains(a.fields(), "seen") && seen != "1e99" {
			t.Errorf("%s: %s", seen, a.Body)
		}
	}
	o.do("anna", 422, "POST", self+"/notes", `{"body":"b","seen":1}`)
	o.do("anna", 422, "POST", self+"/reopening", `{"seen":1}`)
	o.do("anna", 200, "POST", self+"/closure", `{}`)
}

// TestIdempotency_refusalOverUnseenWordsIsRepeated: to send it anyway is another request, under another key.
func TestIdempotency_refusalOverUnseenWordsIsRepeated(t *testing.T) {
	o := openFixture(t)
	self := o.do("clara", 201, "POST", "/api/v1/tickets", `{"subject":"s","body":"b"}`).Header().Get("Location")
	o.do("clara", 200, "POST", self+"/replies", `{"body":"wait"}`)
	ask := func(key, body string) answer {
		return do(t, o.Handler, call{method: "POST", path: self + "/resolution", as: o.tokens["anna"], body: body, header: http.Header{"Idempotency-Key": {key}}})
	}
	for range 2 {
		if a := ask("k", `{"body":"b","seen":1}`); a.Code != 409 || a.problem.Code != ticket.CodeUnseen {
			t.Errorf("%d %s", a.Code, a.Body)
		}
	}
	if a := ask("k", `{"body":"b","seen":2}`); a.Code != 409 || a.problem.Code != "idempotency-key-reused" {
		t.Errorf("%d %s", a.Code, a.Body)
	}
	if a := ask("another", `{"body":"b","seen":2}`); a.Code != 200 {
		t.Errorf("%d %s", a.Code, a.Body)
	}
}

// TestLimited_saysWhenToTryAgain, in a header and in words.
func TestLimited_saysWhenToTryAgain(t *testing.T) {
	limited := &fault.Error{Kind: fault.Limited, RetryAfter: 41 * time.Second, Message: "too much; try again in 41 seconds"}
	h, _ := serve(t, &scripted{err: limited})
	for path, c := range map[string]call{
		"/api/v1/tickets": {as: "customer", body: `{"subject":"s","body":"b"}`}, at + "/replies": {as: "agent", body: `{"body":"b"}`},
		at + "/rating": {as: "customer", body: `{"score":1}`},
	} {
		c.method, c.path = "POST", path
		a := do(t, h, c)
		if a.Code != 429 || a.Header().Get("Retry-After") != "41" || !strings.Contains(a.problem.Detail, "41 seconds") {
			t.Errorf("%s: %d, Retry-After %q, %s", path, a.Code, a.Header().Get("Retry-After"), a.Body)
		}
	}
}

// TestToken_countsAsAProgram, which has an allowance of its own.
func TestToken_countsAsAProgram(t *testing.T) {
	s := &scripted{}
	h, _ := serve(t, s)
	do(t, h, call{method: "GET", path: "/api/v1/tickets", as: "agent"})
	if len(s.filters) != 1 || !s.filters[0].Viewer.Token || s.filters[0].Viewer.ID != people["agent"].ID {
		t.Errorf("asked as %+v", s.filters)
	}
}
