package policy_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/policy"
)

const everyField = `
name: Everything
contact: care@example.com
privacy_url: https://example.com/privacy
time_zone: Europe/Berlin
hours: {monday: ["09:00-12:00", "13:00-18:00"], friday: ["09:00-12:00"]}
holidays: [{date: 2026-12-25, until: 2026-12-26, name: Christmas}]
clocks:
  first_response: {target: 72h, counts: business_hours, remind_at: 75%, pauses: [waiting]}
  resolution: {target: 10d, counts: calendar, remind_at: 80%, pauses: [waiting, resolved]}
priorities: {urgent: {first_response: 8h}}
silence: {nudge_after: 3d, resolve_after: 7d, close_after: 5d}
escalation:
  - {after: 0s, clocks: [resolution], priorities: [high], tell: [assignee, {person: lea}, {webhook: pager}]}
categories: [delivery, payment]
assignment: [{categories: [delivery], group: vans, by: round_robin, reassign_on_breach: [resolution]}]
`

// changes has, for each field of a policy and its parts, a fragment of everyField, its replacement, and the expected
// differences.
var changes = map[string]struct {
	old, new string
	want     []string
}{
	"Policy.Name":                    {"name: Everything", "name: Nothing", []string{"Name: Everything → Nothing"}},
	"Policy.Contact":                 {"contact: care@example.com\n", "", []string{"Contact removed: care@example.com"}},
	"Policy.PrivacyURL":              {"example.com/privacy", "example.com/p", []string{"Privacy policy: https://example.com/privacy → https://example.com/p"}},
	"Policy.Zone":                    {"Europe/Berlin", "Europe/Vienna", []string{"Time zone: Europe/Berlin → Europe/Vienna"}},
	"Policy.Calendar hours":          {`"13:00-18:00"`, `"13:00-18:01"`, []string{"Monday: 09:00-12:00 and 13:00-18:00 → 09:00-12:00 and 13:00-18:01"}},
	"Policy.Calendar closed day":     {`, friday: ["09:00-12:00"]`, "", []string{"Friday: 09:00-12:00 → closed"}},
	"Policy.Calendar":                {"until: 2026-12-26, name: Christmas", "until: 2026-12-28, name: Christmas", []string{"Holiday added: Sun 27 Dec 2026 to Mon 28 Dec 2026, Christmas"}},
	"Policy.Calendar holiday's name": {"name: Christmas", "name: Xmas", []string{"Holiday removed: Fri 25 Dec 2026 to Sat 26 Dec 2026, Christmas", "Holiday added: Fri 25 Dec 2026 to Sat 26 Dec 2026, Xmas"}},
	"Policy.Clocks": {"{target: 72h, counts: business_hours,", "{target: 3d, counts: business_days,", []string{
		"First response: 72 hours during opening hours → 3 business days", "First response at urgent priority: 8 hours during opening hours → 8 hours on business days"}},
	"Rule.Target":                    {"target: 10d", "target: 9d12h", []string{"Resolution: 10 days → 9 days and 12 hours"}},
	"Rule.Counts":                    {"target: 10d, counts: calendar", "target: 10d, counts: business_days", []string{"Resolution: 10 days → 10 business days"}},
	"Rule.RemindAt":                  {", remind_at: 75%", "", []string{"First response reminder to the agent: at 75% → none"}},
	"Rule.Pauses":                    {"[waiting, resolved]", "[waiting]", []string{"Resolution paused: while resolved or waiting for the requester → while waiting for the requester"}},
	"Policy.Priorities":              {"first_response: 8h", "first_response: 6h", []string{"First response at urgent priority: 8 hours during opening hours → 6 hours during opening hours"}},
	"Policy.Priorities gone":         {"priorities: {urgent: {first_response: 8h}}\n", "", []string{"First response at urgent priority: 8 hours during opening hours → 72 hours during opening hours"}},
	"Policy.CustomersChoosePriority": {"silence:", "customers_choose_priority: true\nsilence:", []string{"Priority chosen by: staff → the requester"}},
	"Silence.NudgeAfter":             {"nudge_after: 3d", "nudge_after: 0s", []string{"Reminder to the requester: after 3 days → never"}},
	"Silence.ResolveAfter":           {"resolve_after: 7d", "resolve_after: 8d", []string{"Resolved without a reply: after 7 days → after 8 days"}},
	"Silence.CloseAfter":             {", close_after: 5d", "", []string{"Closed without a reply: after 5 days → never"}},
	"Policy.Silence":                 {"silence: {nudge_after: 3d, resolve_after: 7d, close_after: 5d}\n", "", []string{"Reminder to the requester: after 3 days → never", "Resolved without a reply: after 7 days → never", "Closed without a reply: after 5 days → never"}},
	"Policy.Escalation":              {"categories: [delivery, p", "  - {after: 1d, tell: [supervisors]}\ncategories: [delivery, p", []string{"Escalation step 2 added: After 1 day the supervisors are notified"}},
	"EscalationStep.After":           {"after: 0s", "after: 1h", nil},
	"EscalationStep.Clocks":          {"clocks: [resolution]", "clocks: [first_response]", nil},
	"EscalationStep.Priorities":      {"priorities: [high]", "priorities: [low]", nil},
	"EscalationStep.Notify":          {"[assignee, ", "[supervisors, ", nil},
	"EscalationStep.People":          {"person: lea", "person: leo", []string{"Escalation step 1: at the breach (resolution, priority high): assignee, person lea, webhook pager → at the breach (resolution, priority high): assignee, person leo, webhook pager"}},
	"EscalationStep.Webhooks":        {"webhook: pager", "webhook: siren", nil},
	"EscalationStep.RaisePriority":   {"pager}]}", "pager}], raise_priority: true}", nil},
	"Policy.Categories":              {"categories: [delivery, payment]", "categories: [delivery, returns]", []string{"Category removed: payment", "Category added: returns"}},
	"Policy.Categories in order":     {"categories: [delivery, payment]", "categories: [payment, delivery]", []string{"Order of categories: delivery, payment → payment, delivery"}},
	"Policy.Assignment":              {"assignment: [{categories: [delivery], group: vans, by: round_robin, reassign_on_breach: [resolution]}]\n", "", nil},
	"Assignment.Categories":          {"{categories: [delivery],", "{categories: [payment],", nil},
	"Assignment.Group":               {"group: vans", "group: ships", nil},
	"Assignment.By":                  {"by: round_robin", "by: least_loaded", nil},
	"Assignment.ReassignOnBreach":    {", reassign_on_breach: [resolution]", "", nil},
}

func TestDifferences_coverEveryField(t *testing.T) {
	was := parse(t, everyField)
	for name, c := range changes {
		t.Run(name, func(t *testing.T) {
			if strings.Count(everyField, c.old) != 1 {
				t.Fatalf("%q is there %d times", c.old, strings.Count(everyField, c.old))
			}
			is := parse(t, strings.Replace(everyField, c.old, c.new, 1))
			var got []string
			for _, d := range is.Differences(was) {
				got = append(got, d.String())
			}
			if len(got) == 0 || c.want != nil && !slices.Equal(got, c.want) {
				t.Errorf("got\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(c.want, "\n  "))
			}
			if back := was.Differences(is); len(back) != len(got) {
				t.Errorf("in the other direction: %v", back)
			}
		})
	}
}

// It fails if a field is added to a policy but not to the table above.
func TestDifferences_tableHasEveryField(t *testing.T) {
	for _, kind := range []reflect.Type{
		reflect.TypeFor[policy.Policy](), reflect.TypeFor[policy.Rule](), reflect.TypeFor[policy.Silence](),
		reflect.TypeFor[policy.EscalationStep](), reflect.TypeFor[policy.Assignment](),
	} {
		for _, field := range reflect.VisibleFields(kind) {
			if name := kind.Name() + "." + field.Name; changes[name].old == "" {
				t.Errorf("no test for %s", name)
			}
		}
	}
}

func TestDifferences_ignoreFormatting(t *testing.T) {
	other := strings.NewReplacer("72h", "3d", "10d", "240h", "[waiting, resolved]", "[resolved, waiting]", "name: Everything", "name: 'Everything' # as ever").Replace(everyField)
	if d := parse(t, other).Differences(parse(t, everyField)); len(d) > 0 {
		t.Errorf("there are %v", d)
	}
}
