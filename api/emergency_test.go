package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/api"
)

// emergency is what the tests read of one.
type emergency struct {
	ID, Kind, Stage, Notice string
	StartsAt                time.Time               `json:"starts_at"`
	EndsAt                  time.Time               `json:"ends_at"`
	Delay                   int64                   `json:"delay_seconds"`
	DeclaredBy              struct{ Handle string } `json:"declared_by"`
}

type dryRun struct {
	Before  *emergency
	After   emergency
	Open    int `json:"open_tickets"`
	Looked  int `json:"examined_tickets"`
	Sampled bool
	Clocks  []struct {
		Clock                   string
		Later, Earlier, Undated int
		Least                   int64 `json:"min_seconds"`
	}
	Soonest []struct {
		Number string
		Before time.Time `json:"due_before"`
		After  time.Time `json:"due_after"`
	}
	Mails struct {
		Recipients   int
		Announcement string
	}
	Fanout struct{ Seconds int64 }
}

const emergencies = "/api/v1/emergencies"

func TestEmergency_throughItsLife(t *testing.T) {
	o := openFixture(t)
	o.submit("clara", `{"subject":"Where?","body":"Where is it?"}`)
	dry := decode[dryRun](t, o.do("sam", 200, "POST", emergencies+"/dry-run", `{"kind":"delayed","notice":"Ill.","delay_seconds":86400}`))
	if dry.Before != nil || dry.Open != 1 || dry.Looked != 1 || dry.Sampled || dry.Mails.Recipients != 1 || dry.Mails.Announcement != "started" || dry.Fanout.Seconds != 1 {
		t.Errorf("foretold %+v", dry)
	}
	if len(dry.Clocks) != 2 || dry.Clocks[1].Later != 1 || dry.Clocks[1].Least != 86400 || len(dry.Soonest) != 2 {
		t.Errorf("foretold of clocks %+v, of tickets %+v", dry.Clocks, dry.Soonest)
	}
	if got := o.do("sam", 200, "GET", emergencies, "").Body.String(); !strings.Contains(got, `"emergencies":[]`) || o.wakes.count != 0 {
		t.Errorf("a dry run declared %s", got)
	}

	a := o.do("sam", 201, "POST", emergencies, `{"kind":"delayed","notice":"Half of us are ill.","starts_at":"`+inHours(30)+`","ends_at":null,"delay_seconds":86400}`)
	e := decode[emergency](t, a)
	path := a.Header().Get("Location")
	if path != emergencies+"/"+e.ID || e.Stage != "planned" || e.Delay != 86400 || e.DeclaredBy.Handle == "" || !e.EndsAt.IsZero() || o.wakes.count != 1 {
		t.Errorf("declared %s: %+v, rang %d times", path, e, o.wakes.count)
	}
	until := inHours(40)
	dry = decode[dryRun](t, o.do("sam", 200, "POST", path+"/dry-run", `{"delay_seconds":172800,"ends_at":"`+until+`"}`))
	if dry.Before == nil || dry.Before.Delay != 86400 || dry.After.Delay != 172800 || dry.Mails.Announcement != "changed" {
		t.Errorf("foretold of a change %+v", dry)
	}
	if e = decode[emergency](t, o.do("sam", 200, "PATCH", path, `{"delay_seconds":172800,"ends_at":"`+until+`"}`)); e.Delay != 172800 || e.EndsAt.Format(time.RFC3339) != until {
		t.Errorf("changed to %+v", e)
	}
	if e = decode[emergency](t, o.do("sam", 200, "PATCH", path, `{"ends_at":null}`)); !e.EndsAt.IsZero() || e.Delay != 172800 || e.Notice != "Half of us are ill." {
		t.Errorf("without an end %+v", e)
	}
	if got := o.do("sam", 200, "GET", emergencies+"/current", "").Body.String(); !strings.Contains(got, e.ID) {
		t.Errorf("now there is %s", got)
	}
	dry = decode[dryRun](t, o.do("sam", 200, "POST", path+"/dry-run", `{"end":true}`))
	if dry.After.Stage != "cancelled" || dry.Clocks[1].Earlier != 1 {
		t.Errorf("foretold of its end %+v", dry)
	}
	if e = decode[emergency](t, o.do("sam", 200, "DELETE", path, "")); e.Stage != "cancelled" {
		t.Errorf("ended: %+v", e)
	}
	if a := o.do("sam", 409, "DELETE", path, ""); a.problem.Code != "emergency-over" {
		t.Errorf("again: %+v", a.problem)
	}
	file := decode[struct {
		Emergency emergency
		Changes   []struct{ Act string }
	}](t, o.do("sam", 200, "GET", path, ""))
	if c := file.Changes; file.Emergency != e || len(c) != 4 || c[0].Act != "declared" || c[3].Act != "cancelled" {
		t.Errorf("recorded %+v", file)
	}
}

func inHours(n int) string {
	return time.Now().UTC().Add(time.Duration(n) * time.Hour).Truncate(time.Second).Format(time.RFC3339)
}

func TestEmergency_declaredOnceForAKey(t *testing.T) {
	o := openFixture(t)
	ask := func(body string) answer {
		return do(t, o, call{method: "POST", path: emergencies, as: o.tokens["sam"], body: body, header: http.Header{"Idempotency-Key": {"k"}}})
	}
	first, again, other := ask(`{"kind":"closed","notice":"A flood."}`), ask(`{"kind":"closed","notice":"A flood."}`), ask(`{"kind":"closed","notice":"A fire."}`)
	if first.Code != 201 || again.Code != 201 || decode[emergency](t, again).ID != decode[emergency](t, first).ID || again.Header().Get("Idempotency-Replayed") != "true" {
		t.Errorf("%d %s, again %d %s", first.Code, first.Body, again.Code, again.Body)
	}
	if other.Code != 409 || other.problem.Code != "idempotency-key-reused" {
		t.Errorf("for something else: %d %s", other.Code, other.Body)
	}
}

func TestEmergency_namesTheFieldAtFault(t *testing.T) {
	o := openFixture(t)
	path := o.do("sam", 201, "POST", emergencies, `{"kind":"closed","notice":"A flood.","starts_at":"`+inHours(1)+`"}`).Header().Get("Location")
	long := strings.Repeat("x", 1001)
	for body, want := range map[string]string{
		`{}`:                "kind notice",
		`{"kind":"shut"}`:   "kind notice",
		`{"kind":"closed"}`: "notice",
		`{"kind":"closed","notice":"` + long + `"}`:                                           "notice",
		`{"kind":"closed","notice":"a\u0007b"}`:                                               "notice",
		`{"kind":"closed","notice":"x","by":1}`:                                               "by",
		`{"kind":"closed","notice":"x","delay_seconds":1}`:                                    "delay_seconds",
		`{"kind":"delayed","notice":"x"}`:                                                     "delay_seconds",
		`{"kind":"delayed","notice":"x","delay_seconds":9223372036854775807}`:                 "delay_seconds",
		`{"kind":"delayed","notice":"x","delay_seconds":-9223372036854775808}`:                "delay_seconds",
		`{"kind":"delayed","notice":"x","delay_seconds":1.5}`:                                 "delay_seconds",
		`{"kind":"closed","notice":"x","starts_at":"tomorrow"}`:                               "starts_at",
		`{"kind":"closed","notice":"x","starts_at":""}`:                                       "starts_at",
		`{"kind":"closed","notice":"x","starts_at":"2020-01-01T00:00:00Z"}`:                   "starts_at",
		`{"kind":"closed","notice":"x","ends_at":"9999-12-31T23:59:59Z"}`:                     "ends_at",
		`{"kind":"closed","notice":"x","ends_at":17}`:                                         "ends_at",
		`{"kind":"closed","notice":"x","starts_at":"2026-11-30T09:00:00.5Z","kind":"closed"}`: "kind",
	} {
		for _, at := range []string{emergencies, emergencies + "/dry-run"} {
			a := do(t, o, call{method: "POST", path: at, as: o.tokens["sam"], body: body})
			if got := faulty(a.problem); a.Code != 422 || got != want {
				t.Errorf("%s: %d, at fault are %q, want %q", body, a.Code, got, want)
			}
		}
	}
	for body, want := range map[string]string{
		`{"notice":""}`: "notice", `{"delay_seconds":5}`: "delay_seconds", `{"ends_at":"` + inHours(-1) + `"}`: "ends_at",
		`{"starts_at":"x"}`: "starts_at", `{"kind":"delayed"}`: "kind",
	} {
		if a := do(t, o, call{method: "PATCH", path: path, as: o.tokens["sam"], body: body}); a.Code != 422 || faulty(a.problem) != want {
			t.Errorf("PATCH %s: %d %q", body, a.Code, faulty(a.problem))
		}
	}
	if a := do(t, o, call{method: "POST", path: path + "/dry-run", as: o.tokens["sam"], body: `{"end":true,"notice":"x"}`}); a.Code != 422 || faulty(a.problem) != "end" {
		t.Errorf("an end with more: %d %q", a.Code, faulty(a.problem))
	}
	for _, id := range []string{"E-0000000000", "x", "E-%27%3B", "current/x"} {
		if a := do(t, o, call{method: "DELETE", path: emergencies + "/" + id, as: o.tokens["sam"]}); a.Code != 404 {
			t.Errorf("%s: %d", id, a.Code)
		}
	}
	if a := o.do("sam", 200, "GET", emergencies, ""); strings.Count(a.Body.String(), `"stage"`) != 1 {
		t.Errorf("there are %s", a.Body)
	}
}

func faulty(p api.Problem) string {
	seen := map[string]bool{}
	var names []string
	for _, e := range p.Errors {
		if !seen[e.Field] {
			names = append(names, e.Field)
		}
		seen[e.Field] = true
	}
	return strings.Join(names, " ")
}
