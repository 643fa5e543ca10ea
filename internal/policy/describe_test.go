package policy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/holesalemart/supportdesk/internal/policy"
)

func TestWords_golden(t *testing.T) {
	for name, document := range map[string]string{
		"holesalemart": string(policy.Holesalemart()),
		"everything":   describedDocument,
		"bare":         "clocks: {first_response: {target: 1h, counts: calendar}, resolution: {target: 90m, counts: calendar}}\ntime_zone: UTC\n",
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			for _, section := range parse(t, document).Describe() {
				fmt.Fprintf(&b, "%s\n", section.Title)
				for _, line := range section.Lines {
					fmt.Fprintf(&b, "  %s\n", line)
				}
			}
			file := filepath.Join("testdata", "describe-"+name+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), b.String()); diff != "" {
				t.Errorf("%s (-want +got), accept it with -update:\n%s", file, diff)
			}
		})
	}
}

const describedDocument = `
name: Everything
time_zone: Europe/Berlin
hours:
  monday: ["09:00-12:00", "13:00-18:00"]
  tuesday: ["09:00-12:00", "13:00-18:00"]
  wednesday: ["09:00-12:00"]
  friday: ["09:00-12:00"]
  saturday: ["09:00-12:00"]
holidays: [{date: 2026-12-25, name: Christmas Day}, {date: 2027-01-01}]
clocks:
  first_response: {target: 30h, counts: business_hours}
  resolution: {target: 3d, counts: business_days, pauses: [waiting]}
priorities: {urgent: {first_response: 1h30m, resolution: 1d}, low: {resolution: 10d}}
customers_choose_priority: true
silence: {close_after: 1d}
escalation:
  - {after: 0s, tell: [assignee]}
  - {after: 36h, tell: [assignee, supervisors, administrators], raise_priority: true}
categories: [delivery, invoices]
assignment:
  - {categories: [delivery, invoices], group: vans, by: round_robin, reassign_on_breach: [first_response, resolution]}
  - {group: everyone, by: least_loaded}
`
