package policy_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/policy"
)

func TestAssignmentFor_returnsTheFirstRuleThatApplies(t *testing.T) {
	p := parse(t, base+`assignment:
  - {categories: [order, delivery], group: vans, by: round_robin}
  - {categories: [order, payment], group: money, by: least_loaded}
`)
	for category, want := range map[string]struct {
		group string
		rule  int
	}{"order": {"vans", 1}, "delivery": {"vans", 1}, "payment": {"money", 2}, "general": {"", 0}, "": {"", 0}} {
		if rule, number := p.AssignmentFor(category); rule.Group != want.group || number != want.rule {
			t.Errorf("%q: rule %d, group %q, want %d and %q", category, number, rule.Group, want.rule, want.group)
		}
	}
	if rule, number := parse(t, base).AssignmentFor("order"); number != 0 || rule.Group != "" {
		t.Errorf("a policy without rules has rule %d", number)
	}
}

func TestLint_findsUnusedAssignmentRules(t *testing.T) {
	const idle, open = "assignment[1] never applies", "No assignment rule applies to payment and returns"
	for name, c := range map[string]struct {
		rules string
		want  []string
	}{
		"none":           {"", nil},
		"all":            {"  - {group: everyone, by: round_robin}\n", nil},
		"after all":      {"  - {group: everyone, by: round_robin}\n  - {group: vans, by: round_robin}\n", []string{idle}},
		"after the same": {"  - {categories: [order], group: a, by: round_robin}\n  - {categories: [order], group: b, by: round_robin}\n  - {group: c, by: round_robin}\n", []string{idle}},
		"some":           {"  - {categories: [general, order, delivery, account], group: a, by: round_robin}\n", []string{open}},
	} {
		t.Run(name, func(t *testing.T) {
			document := base
			if c.rules != "" {
				document += "assignment:\n" + c.rules
			}
			got := slices.DeleteFunc(parse(t, document).Lint(), func(w string) bool {
				return !strings.Contains(w, "assignment")
			})
			if !slices.EqualFunc(got, c.want, strings.HasPrefix) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}

func TestValidGroup(t *testing.T) {
	for handle, want := range map[string]bool{
		"vans": true, policy.Everyone: true, "a": true, "a-2": true, "": false, "Vans": false, "2a": false, "-a": false,
		"two words": false, strings.Repeat("a", 40): true, strings.Repeat("a", 41): false,
	} {
		if policy.ValidGroup(handle) != want {
			t.Errorf("%q: %v", handle, !want)
		}
	}
}
