package api_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/holesalemart/supportdesk/api"
)

func TestTrack_showsNoWordsAndNoNames(t *testing.T) {
	h, _ := serve(t, &scripted{})
	a := do(t, h, call{method: "GET", path: "/api/v1/track/hm-7q2k9xm4td"})
	const want = `{"number":"HM-7Q2K9XM4TD","status":"new","submitted_at":"2026-11-30T10:00:00Z","promises":{` +
		`"first_response":{"due":"2026-12-14T12:00:00Z"},"resolution":{"due":"2026-12-10T10:00:00Z"}}}`
	if got := strings.TrimSpace(a.Body.String()); a.Code != 200 || got != want {
		t.Errorf("%d\n got %s\nwant %s", a.Code, got, want)
	}
}

// TestTrack_revealsNoNumbersThatExist: text that can't be a number has the response of an unknown number.
func TestTrack_revealsNoNumbersThatExist(t *testing.T) {
	h, _ := serve(t, &scripted{})
	missing := do(t, h, call{method: "GET", path: "/api/v1/track/HM-0000000000"})
	nonsense := do(t, h, call{method: "GET", path: "/api/v1/track/nonsense"})
	missing.problem.RequestID, nonsense.problem.RequestID = "", ""
	if missing.Code != 404 || missing.problem.Detail != nonsense.problem.Detail || missing.problem.Code != nonsense.problem.Code {
		t.Errorf("%+v and %+v", missing.problem, nonsense.problem)
	}
}

func TestTrack_isLimitedBySource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := serve(t, &scripted{})
		track := func(from, forwarded string) answer {
			c := call{method: "GET", path: "/api/v1/track/HM-0000000000", from: from, header: map[string][]string{}}
			c.header.Set("X-Forwarded-For", forwarded)
			return do(t, h, c)
		}
		limited := 0
		for range 40 {
			if a := track("192.0.2.7:1000", "198.51.100.1"); a.Code == 429 {
				limited++
				if a.Header().Get("Retry-After") == "" {
					t.Error("no Retry-After")
				}
			}
		}
		if limited != 10 {
			t.Errorf("%d of 40 were refused, want 10: a burst is 30", limited)
		}
		if a := track("192.0.2.7:2000", "203.0.113.9"); a.Code != 429 {
			t.Errorf("another forwarded address gets another limit: %d", a.Code)
		}
		if a := track("192.0.2.8:1000", ""); a.Code != 404 {
			t.Errorf("another source is refused: %d", a.Code)
		}
		for range 40 {
			track("[2001:db8:1:2::1]:1000", "")
		}
		if a := track("[2001:db8:1:2:ffff::9]:1000", ""); a.Code != 429 {
			t.Errorf("another address of the same network gets another limit: %d", a.Code)
		}
		if a := track("[2001:db8:1:3::1]:1000", ""); a.Code != 404 {
			t.Errorf("another network is refused: %d", a.Code)
		}
	})
}

func TestTrack_believesTrustedProxiesOnly(t *testing.T) {
	h, _ := serve(t, &scripted{}, func(c *api.Config) { c.TrustedProxies = []string{"192.0.2.0/24"} })
	refused := 0
	for i := range 40 {
		c := call{method: "GET", path: "/api/v1/track/HM-0000000000", from: "192.0.2.7:1000", header: map[string][]string{}}
		c.header.Set("X-Forwarded-For", "203.0.113."+string(rune('0'+i%4)))
		if do(t, h, c).Code == 429 {
			refused++
		}
	}
	if refused != 0 {
		t.Errorf("%d of 40 from four clients behind a proxy were refused", refused)
	}
	// What a client behind the proxy says of itself makes it no other source.
	for name, headers := range map[string]func(own string) http.Header{
		"appended":    func(own string) http.Header { return http.Header{"X-Forwarded-For": {own + ", 198.51.100.1"}} },
		"a line each": func(own string) http.Header { return http.Header{"X-Forwarded-For": {own, "198.51.100.2"}} },
		"real beside": func(own string) http.Header {
			return http.Header{"X-Real-Ip": {own}, "X-Forwarded-For": {"198.51.100.3"}}
		},
		"real alone": func(own string) http.Header { return http.Header{"X-Real-Ip": {own}} },
		"after nonsense": func(own string) http.Header {
			return http.Header{"X-Real-Ip": {own}, "X-Forwarded-For": {"?, 192.0.2.9"}}
		},
	} {
		refused = 0
		for i := range 40 {
			c := call{method: "GET", path: "/api/v1/track/HM-0000000000", from: "192.0.2.7:1000", header: headers("203.0.113." + strconv.Itoa(100+i))}
			if do(t, h, c).Code == 429 {
				refused++
			}
		}
		if refused < 5 { // the burst is 30, and some come back meanwhile
			t.Errorf("%s: %d of 40 from one client were refused", name, refused)
		}
	}
	if _, err := api.New(api.Config{Desk: nil, People: &scripted{}}); err == nil {
		t.Error("an API without a desk is made")
	}
}

func TestPolicy_isOpen(t *testing.T) {
	h, _ := serve(t, &scripted{})
	a := do(t, h, call{method: "GET", path: "/api/v1/policy"})
	got := decode[struct {
		Version  int64
		Name     string
		Document string
		Targets  []struct {
			Priority      string
			FirstResponse struct {
				Seconds int64
				Text    string
				Counts  string
			} `json:"first_response"`
		}
		Categories []string
	}](t, a)
	if got.Version != 1 || !strings.Contains(got.Document, "time_zone: UTC") || len(got.Targets) != 4 || len(got.Categories) == 0 ||
		got.Targets[0].Priority != "low" || got.Targets[0].FirstResponse.Seconds != 72*3600 ||
		got.Targets[0].FirstResponse.Text != "72h" || got.Targets[0].FirstResponse.Counts != "business_hours" {
		t.Errorf("%s", a.Body)
	}
}

func TestReady_showsEveryDependency(t *testing.T) {
	up := func(context.Context) error { return nil }
	down := func(context.Context) error { return errors.New(secret) }
	hangs := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	for _, c := range []struct {
		name   string
		checks []api.Check
		status int
		want   string
	}{
		{"all up", []api.Check{{Name: "postgresql", Ask: up}, {Name: "temporal", Ask: up}}, 200, `"status":"ready"`},
		{"one down", []api.Check{{Name: "postgresql", Ask: down}, {Name: "temporal", Ask: up}}, 503, `"postgresql":{"status":"down"`},
		{"one hangs", []api.Check{{Name: "postgresql", Ask: hangs}, {Name: "temporal", Ask: up}}, 503, `"postgresql":{"status":"down","took_ms":2000}`},
		{"optional down", []api.Check{{Name: "postgresql", Ask: up}, {Name: "temporal", Ask: down, Optional: true}}, 200, `"status":"degraded"`},
		{"both down", []api.Check{{Name: "temporal", Ask: down, Optional: true}, {Name: "postgresql", Ask: down}}, 503, `"status":"unready"`},
	} {
		synctest.Test(t, func(t *testing.T) {
			h, _ := serve(t, &scripted{}, func(config *api.Config) { config.Ready = c.checks })
			a := do(t, h, call{method: "GET", path: "/readyz"})
			if a.Code != c.status || !strings.Contains(a.Body.String(), c.want) || strings.Contains(a.Body.String(), "hunter2") {
				t.Errorf("%s: %d %s", c.name, a.Code, a.Body)
			}
			if a := do(t, h, call{method: "GET", path: "/healthz"}); a.Code != 200 || !strings.Contains(a.Body.String(), "v0-test") {
				t.Errorf("%s: /healthz %d %s", c.name, a.Code, a.Body)
			}
		})
	}
}
