package api_test

import (
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const at = "/api/v1/tickets/" + someNumber

func TestCommand_answers(t *testing.T) {
	unavailable := fault.New(fault.Unavailable, "away")
	for _, c := range []struct {
		name     string
		scripted *scripted
		status   int
		code     string
	}{
		{"granted", &scripted{}, 200, ""},
		{"not decided in time", &scripted{undecided: true}, 202, ""},
		{"refused", &scripted{outcome: ticket.Outcome{Refused: true, Code: ticket.CodeStatus, Reason: "not now"}}, 409, "wrong-status"},
		{"not allowed", &scripted{outcome: ticket.Outcome{Refused: true, Code: ticket.CodeRole, Reason: "not yours"}}, 403, "not-allowed"},
		{"closed", &scripted{err: fault.NewConflict(ticket.CodeClosed, "closed permanently")}, 409, "ticket-closed"},
		{"not accepted", &scripted{err: unavailable}, 503, ""},
		{"accepted, and then the store went away", &scripted{afterwards: unavailable}, 202, ""},
	} {
		h, _ := serve(t, c.scripted)
		a := do(t, h, call{method: "POST", path: at + "/notes", as: "agent", body: `{"body":"b"}`})
		if a.Code != c.status || a.problem.Code != c.code {
			t.Errorf("%s: %d %s", c.name, a.Code, a.Body)
		}
		if location := a.Header().Get("Location"); (location == at) != (a.Code == 202) {
			t.Errorf("%s: Location %q", c.name, location)
		}
		if a.Code == 202 && !strings.Contains(a.Body.String(), `"command":2`) {
			t.Errorf("%s: %s", c.name, a.Body)
		}
		if a.Code == 409 && a.problem.Detail != c.scripted.outcome.Reason && a.problem.Detail != "closed permanently" {
			t.Errorf("%s: %q", c.name, a.problem.Detail)
		}
	}
}

func TestCommand_verbs(t *testing.T) {
	anna := "anna"
	for _, c := range []struct {
		method, path, as, body string
		want                   desk.Request
	}{
		{"POST", "/replies", "customer", `{"body":"a\r\nb"}`, desk.Request{Verb: ticket.VerbCustomerReply, Body: "a\nb"}},
		{"POST", "/replies", "supervisor", `{"body":"b"}`, desk.Request{Verb: ticket.VerbAgentReply, Body: "b"}},
		{"POST", "/confirmation", "customer", ``, desk.Request{Verb: ticket.VerbClose}},
		{"POST", "/withdrawal", "customer", `{}`, desk.Request{Verb: ticket.VerbWithdraw}},
		{"POST", "/assignment", "agent", ``, desk.Request{Verb: ticket.VerbAssign}},
		{"POST", "/assignment", "agent", `{"agent":" sam "}`, desk.Request{Verb: ticket.VerbAssign, Agent: "sam"}},
		{"POST", "/assignment", "agent", `{"expected":""}`, desk.Request{Verb: ticket.VerbAssign, Expected: new(string)}},
		{"POST", "/assignment", "agent", `{"agent":"sam","expected":" anna "}`, desk.Request{Verb: ticket.VerbAssign, Agent: "sam", Expected: &anna}},
		{"POST", "/information-requests", "agent", `{"body":"b"}`, desk.Request{Verb: ticket.VerbRequestInformation, Body: "b"}},
		{"POST", "/progress", "agent", `{"body":"b"}`, desk.Request{Verb: ticket.VerbProgressUpdate, Body: "b"}},
		{"POST", "/notes", "agent", `{"body":"b"}`, desk.Request{Verb: ticket.VerbNote, Body: "b"}},
		{"POST", "/resolution", "agent", `{"body":"b"}`, desk.Request{Verb: ticket.VerbResolve, Body: "b"}},
		{"POST", "/closure", "agent", ``, desk.Request{Verb: ticket.VerbClose}},
		{"POST", "/reopening", "agent", ``, desk.Request{Verb: ticket.VerbReopen}},
		{"POST", "/acknowledgement", "agent", ``, desk.Request{Verb: ticket.VerbAcknowledge}},
		{"POST", "/acknowledgement", "agent", `{}`, desk.Request{Verb: ticket.VerbAcknowledge}},
		{"POST", "/acknowledgement", "agent", `{"reason":"on\r\nit"}`, desk.Request{Verb: ticket.VerbAcknowledge, Body: "on\nit"}},
		{"PATCH", "", "agent", `{"priority":"high","category":"order"}`, desk.Request{Verb: ticket.VerbReclassify, Priority: "high", Category: "order"}},
	} {
		s := &scripted{}
		h, _ := serve(t, s)
		a := do(t, h, call{method: c.method, path: at + c.path, as: c.as, body: c.body})
		if a.Code != 200 || len(s.requested) != 1 {
			t.Errorf("%s: %d %s", c.path, a.Code, a.Body)
			continue
		}
		c.want.Number = someNumber
		if got := s.requested[0]; got.IdempotencyKey.Key != "" || got.Number != c.want.Number || got.Verb != c.want.Verb ||
			got.Body != c.want.Body || got.Agent != c.want.Agent || got.Priority != c.want.Priority || got.Category != c.want.Category ||
			!reflect.DeepEqual(got.Expected, c.want.Expected) {
			t.Errorf("%s: asked for %+v, want %+v", c.path, got, c.want)
		}
	}
}

func TestIdempotency_keysReachTheStore(t *testing.T) {
	s := &scripted{again: true}
	h, _ := serve(t, s)
	ask := func(method, path, as, body string, key ...string) answer {
		return do(t, h, call{method: method, path: path, as: as, body: body, header: http.Header{"Idempotency-Key": key}})
	}
	first := ask("POST", "/api/v1/tickets", "customer", `{"subject":"s","body":"b"}`, "key-1")
	if first.Code != 201 || first.Header().Get("Idempotency-Replayed") != "true" {
		t.Errorf("%d %v", first.Code, first.Header())
	}
	ask("POST", "/api/v1/tickets", "customer", `{"subject":"s","body":"b"}`, "key-1")
	ask("POST", "/api/v1/tickets", "customer", `{"subject":"s","body":"b" }`, "key-1")
	ask("POST", at+"/replies", "customer", `{"body":"b"}`, "key-1")
	ask("POST", at+"/closure", "agent", ``, "key-1")
	ask("POST", at+"/reopening", "agent", ``, "key-1")
	var prints []string
	for _, sub := range s.submitted {
		prints = append(prints, string(sub.IdempotencyKey.Fingerprint))
	}
	for _, r := range s.requested {
		prints = append(prints, string(r.IdempotencyKey.Fingerprint))
	}
	if len(prints) != 6 || prints[0] != prints[1] || s.submitted[0].IdempotencyKey.Key != "key-1" || len(prints[0]) != 32 {
		t.Fatalf("the store was given %q", prints)
	}
	if distinct := slices.Compact(slices.Sorted(slices.Values(prints))); len(distinct) != 5 {
		t.Errorf("%d fingerprints of five different requests", len(distinct))
	}
}

func TestIdempotency_badKeys(t *testing.T) {
	for _, keys := range [][]string{{""}, {" "}, {"a b"}, {"käse"}, {"a\tb"}, {strings.Repeat("k", 201)}, {"a", "b"}} {
		for _, path := range []string{"/api/v1/tickets", at + "/closure"} {
			s := &scripted{}
			h, _ := serve(t, s)
			c := call{method: "POST", path: path, as: "agent", header: http.Header{"Idempotency-Key": keys}}
			if path == "/api/v1/tickets" {
				c.as, c.body = "customer", `{"subject":"s","body":"b"}`
			}
			a := do(t, h, c)
			if a.Code != 422 || !slices.Equal(a.fields(), []string{"header.Idempotency-Key"}) || len(s.submitted)+len(s.requested) > 0 {
				t.Errorf("%q: %d %v", keys, a.Code, a.fields())
			}
		}
	}
}

func TestSubmit_failsWithTheStore(t *testing.T) {
	for status, err := range map[int]error{
		503: fault.Wrap(errors.New("x"), fault.Unavailable, "the database is not responding"),
		409: fault.NewConflict("idempotency-key-reused", "another request had this key"),
		422: fault.Field("follows", "must be one of your own tickets"),
	} {
		h, _ := serve(t, &scripted{err: err})
		if a := do(t, h, call{method: "POST", path: "/api/v1/tickets", as: "customer", body: `{"subject":"s","body":"b"}`}); a.Code != status {
			t.Errorf("%v: %d", err, a.Code)
		}
	}
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
