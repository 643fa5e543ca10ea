package page_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/policy"
)

func TestExplanation_writesALineInTheViewersZone(t *testing.T) {
	at := func(s string) time.Time {
		parsed, err := time.Parse(time.DateTime, s)
		if err != nil {
			t.Fatal(err)
		}
		return parsed
	}
	span := func(from, to string) policy.Line {
		return policy.Line{Parts: []policy.Part{{From: at(from), To: at(to)}, {Text: ": <running>"}}}
	}
	due := policy.Line{Parts: []policy.Part{{Text: "Deadline "}, {From: at("2027-01-02 23:30:20"), To: at("2027-01-02 23:30:20")}, {Text: ", 2h left"}}}
	tests := []struct {
		zone, want string
		line       policy.Line
	}{
		{"UTC", "Tue 1 Dec 10:00 to 12:00 UTC: &lt;running&gt;", span("2026-12-01 10:00:00", "2026-12-01 12:00:00")},
		{"Asia/Tokyo", "Tue 1 Dec 23:30 to Wed 2 Dec 00:30 JST: &lt;running&gt;", span("2026-12-01 14:30:00", "2026-12-01 15:30:00")},
		{"Europe/Berlin", "Sun 25 Oct 02:00 CEST to 04:00 CET: &lt;running&gt;", span("2026-10-25 00:00:00", "2026-10-25 03:00:00")},
		{"UTC", "Deadline Sat 2 Jan 2027 23:30:20 UTC, 2h left", due},
		{"Asia/Tokyo", "Deadline Sun 3 Jan 2027 08:30:20 JST, 2h left", due},
	}
	for _, tt := range tests {
		zone, err := time.LoadLocation(tt.zone)
		if err != nil {
			t.Fatal(err)
		}
		got := string(page.Layout{Zone: zone, Now: at("2026-12-03 12:00:00")}.Explanation(tt.line))
		for _, p := range tt.line.Parts {
			for _, want := range []time.Time{p.From, p.To} {
				if !want.IsZero() && !strings.Contains(got, `<time datetime="`+want.Format(time.RFC3339)+`"`) {
					t.Errorf("%s is not marked in %s", want, got)
				}
			}
		}
		if got := regexp.MustCompile(`</?time[^>]*>`).ReplaceAllString(got, ""); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.zone, got, tt.want)
		}
	}
}
