package api_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/api"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/report"
)

// stubReports returns a fixed report and records the filter.
type stubReports struct{ asked report.PromiseFilter }

func (*stubReports) Zone(context.Context) (*time.Location, error) { return time.UTC, nil }

func (r *stubReports) Promises(_ context.Context, f report.PromiseFilter) (report.Promises, error) {
	r.asked = f
	if f.Category == "broken" {
		return report.Promises{}, errors.New(secret)
	}
	tally := report.Tally{Met: 3, Breached: 1, Pending: 2, Delivered: 4, Median: time.Minute, P90: time.Hour}
	monday := time.Date(2026, time.November, 16, 0, 0, 0, 0, time.UTC)
	return report.Promises{Filter: f, Zone: time.UTC, Weeks: []time.Time{monday}, Clocks: []report.ClockSummary{{
		Clock: policy.FirstResponse, Total: tally, Weeks: []report.Line{{Week: monday, Tally: tally}},
		Agents: []report.Line{{Agent: desk.Ref{ID: "P-AAAAAAAAAA", Name: "Anna Agent", Handle: "anna"}, Tally: tally}, {Tally: report.Tally{Pending: 1}}},
	}}}, nil
}

func TestReport_asksForWhatWasAskedAndShowsTheTally(t *testing.T) {
	r := &stubReports{}
	h, _ := serve(t, &scripted{}, func(c *api.Config) { c.Reports = r })
	a := do(t, h, call{method: "GET", as: "supervisor",
		path: "/api/v1/reports/promises?from=2026-11-02&to=2026-11-22&priority=high&category=order&agent=P-AAAAAAAAAA&measure=counted"})
	const tally = `"met":3,"breached":1,"pending":2,"cancelled":0,"met_share":0.75,"delivered":4,"median_seconds":60,"p90_seconds":3600}`
	const want = `{"from":"2026-11-02T00:00:00Z","to":"2026-11-23T00:00:00Z","time_zone":"UTC","measure":"counted","promises":[{"clock":"first_response","total":{` + tally +
		`,"weeks":[{"week":"2026-11-16",` + tally + `],"priorities":[],"categories":[],` +
		`"agents":[{"agent":{"handle":"anna","name":"Anna Agent"},` + tally +
		`,{"met":0,"breached":0,"pending":1,"cancelled":0,"delivered":0}]}]}`
	if got := strings.TrimSpace(a.Body.String()); a.Code != http.StatusOK || got != want {
		t.Errorf("%d\n got %s\nwant %s", a.Code, got, want)
	}
	if f := r.asked; f.Priority != policy.PriorityHigh || f.Category != "order" || f.Agent != "P-AAAAAAAAAA" || f.Measure != report.MeasureCounted {
		t.Errorf("asked for %+v", f)
	}
}

// TestReport_isAsTheDocumentSays: the lines embed their tally, which huma documents only if its type is exported.
func TestReport_isAsTheDocumentSays(t *testing.T) {
	h, _ := serve(t, &scripted{}, func(c *api.Config) { c.Reports = &stubReports{} })
	type lines []map[string]any
	report := decode[struct {
		Promises []struct{ Weeks, Agents lines }
	}](t, do(t, h, call{method: "GET", as: "supervisor", path: "/api/v1/reports/promises"}))
	document := decode[struct {
		Components struct{ Schemas map[string]schema }
	}](t, do(t, h, call{method: "GET", path: "/api/openapi.json"}))
	for name, lines := range map[string]lines{"WeekLine": report.Promises[0].Weeks, "AgentLine": report.Promises[0].Agents} {
		for property := range lines[0] {
			if _, documented := document.Components.Schemas[name].Properties[property]; !documented {
				t.Errorf("%s is not documented to have %s", name, property)
			}
		}
	}
}

func TestReport_refusesWhatCantBeRead(t *testing.T) {
	h, _ := serve(t, &scripted{}, func(c *api.Config) { c.Reports = &stubReports{} })
	for query, field := range map[string]string{
		"from=yesterday": "query.from", "to=2026-02-30": "query.to", "from=2026-02-02&to=2026-02-01": "query.from",
		"priority=huge": "query.priority", "measure=guess": "query.measure", "agent=" + strings.Repeat("x", 300): "query.agent",
	} {
		a := do(t, h, call{method: "GET", path: "/api/v1/reports/promises?" + query, as: "administrator"})
		if a.Code != http.StatusUnprocessableEntity || len(a.fields()) != 1 || a.fields()[0] != field {
			t.Errorf("%s: %d %v", query, a.Code, a.fields())
		}
	}
	if a := do(t, h, call{method: "GET", path: "/api/v1/reports/promises?category=broken", as: "supervisor"}); a.Code != 500 || strings.Contains(a.Body.String(), "hunter2") {
		t.Errorf("a failure: %d %s", a.Code, a.Body)
	}
	without, _ := serve(t, &scripted{})
	if a := do(t, without, call{method: "GET", path: "/api/v1/reports/promises", as: "supervisor"}); a.Code != http.StatusServiceUnavailable {
		t.Errorf("without reports: %d", a.Code)
	}
}
