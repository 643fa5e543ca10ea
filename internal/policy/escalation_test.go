package policy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// bareClocks is a minimal policy, on two lines.
const bareClocks = "time_zone: UTC\nclocks: {first_response: {target: 1h, counts: calendar}, resolution: {target: 2h, counts: calendar}}\n"

// escalationDocument has steps limited to clocks and priorities, and names people and webhooks.
const escalationDocument = bareClocks + `escalation:
  - {after: 0s, priorities: [high, urgent], tell: [assignee, {person: Jane-7}, {webhook: ops-2}], raise_priority: true}
  - {after: 2h, clocks: [resolution], tell: [{person: "42"}, {person: lee}, {webhook: ops}]}
  - {after: 0s, priorities: [normal], clocks: [first_response], tell: [{person: lee}]}
  - {after: 4h, tell: [supervisors]}
`

func TestParse_readsScopeAndRecipients(t *testing.T) {
	want := []policy.EscalationStep{
		{
			Priorities: []policy.Priority{"high", "urgent"}, Notify: []policy.Audience{"assignee"},
			People: []string{"Jane-7"}, Webhooks: []string{"ops-2"}, RaisePriority: true,
		},
		{After: 2 * time.Hour, Clocks: []policy.ClockName{"resolution"}, People: []string{"42", "lee"}, Webhooks: []string{"ops"}},
		{Clocks: []policy.ClockName{"first_response"}, Priorities: []policy.Priority{"normal"}, People: []string{"lee"}},
		{After: 4 * time.Hour, Notify: []policy.Audience{"supervisors"}},
	}
	if diff := cmp.Diff(want, parse(t, escalationDocument).Escalation); diff != "" {
		t.Errorf("escalation (-want +got):\n%s", diff)
	}
}

func TestParse_rejectsInvalidSteps(t *testing.T) {
	for name, c := range map[string]struct{ steps, want string }{
		"no clock":           {"- {after: 1h, clocks: [], tell: [assignee]}", "line 4: escalation[0].clocks: must not be empty; omit the key to include all"},
		"no priority":        {"- {after: 1h, priorities: [], tell: [assignee]}", "line 4: escalation[0].priorities: must not be empty"},
		"unknown clock":      {"- {after: 1h, clocks: [closure], tell: [assignee]}", `line 4: escalation[0].clocks[0]: "closure" is not one of first_response, resolution`},
		"unknown priority":   {"- {after: 1h, priorities: [vip], tell: [assignee]}", `line 4: escalation[0].priorities[0]: "vip" is not one of low, normal, high, urgent`},
		"twice":              {"- {after: 1h, priorities: [low, low], tell: [assignee]}", `line 4: escalation[0].priorities[1]: "low" is listed twice`},
		"listed twice":       {"- {after: 1h, tell: [assignee, assignee]}", `line 4: escalation[0].tell[1]: "assignee" is listed twice`},
		"person twice":       {"- {after: 1h, tell: [{person: Lee}, {person: lee}]}", `line 4: escalation[0].tell[1].person: "lee" is listed twice`},
		"an address":         {"- {after: 1h, tell: [{person: lee@desk.example}]}", `line 4: escalation[0].tell[0].person: "lee@desk.example" is not a valid handle: at most 40 letters, digits and hyphens`},
		"webhook's address":  {"- {after: 1h, tell: [{webhook: \"https://ops.example\"}]}", `line 4: escalation[0].tell[0].webhook: "https://ops.example" is not a valid webhook name`},
		"both at once":       {"- {after: 1h, tell: [{person: lee, webhook: ops}]}", "line 4: escalation[0].tell[0]: must be {person: HANDLE} or {webhook: NAME}"},
		"neither":            {"- {after: 1h, tell: [{}]}", "line 4: escalation[0].tell[0]: must be {person: HANDLE} or {webhook: NAME}"},
		"a group":            {"- {after: 1h, tell: [{group: ops}]}", `line 4: escalation[0].tell[0]: unknown key "group"; the keys are person, webhook`},
		"a list in the list": {"- {after: 1h, tell: [[assignee]]}", "line 4: escalation[0].tell[0]: must be one of assignee, supervisors, administrators"},
		"same time for some": {"- {after: 1h, tell: [assignee]}\n- {after: 1h, priorities: [low], tell: [supervisors]}", "line 5: escalation[1].after: must be longer than in the previous step (1h)"},
		"earlier, not next":  {"- {after: 2h, priorities: [low], tell: [assignee]}\n- {after: 0s, priorities: [high], tell: [assignee]}\n- {after: 1h, tell: [supervisors]}", "line 6: escalation[2].after: must be longer than in the previous step (2h)"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := policy.Parse([]byte(bareClocks + "escalation:\n" + c.steps + "\n"))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestEscalationStep_For(t *testing.T) {
	steps := parse(t, escalationDocument).Escalation
	for _, c := range []struct {
		step     int
		clock    policy.ClockName
		priority policy.Priority
		want     bool
	}{
		{0, policy.FirstResponse, policy.PriorityUrgent, true}, {0, policy.Resolution, policy.PriorityHigh, true},
		{0, policy.FirstResponse, policy.PriorityNormal, false},
		{1, policy.Resolution, policy.PriorityLow, true}, {1, policy.FirstResponse, policy.PriorityUrgent, false},
		{2, policy.FirstResponse, policy.PriorityNormal, true}, {2, policy.Resolution, policy.PriorityNormal, false},
		{2, policy.FirstResponse, policy.PriorityLow, false}, {3, policy.FirstResponse, policy.PriorityLow, true},
	} {
		if got := steps[c.step].AppliesTo(c.clock, c.priority); got != c.want {
			t.Errorf("step %d is for %s at %s: %v, want %v", c.step+1, c.clock, c.priority, got, c.want)
		}
	}
}

func TestWords_describeEscalationWithoutNames(t *testing.T) {
	sections := parse(t, escalationDocument).Describe()
	var got []string
	for _, s := range sections {
		if s.Title == "If we miss a target" {
			got = s.Lines
		}
	}
	want := []string{
		"Immediately, if the priority is high or urgent, the agent assigned to your ticket, a designated person and our monitoring system are notified, and the priority of your ticket is raised.",
		"After 2 hours, if the resolution is overdue, 2 designated people and our monitoring system are notified.",
		"Immediately, if the first response is overdue and the priority is normal, a designated person is notified.",
		"After 4 hours the supervisors are notified.",
		"Escalation stops once an agent attends to your ticket.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWriteCheck_showsEscalationAndItsGaps(t *testing.T) {
	var b strings.Builder
	parse(t, strings.ReplaceAll(escalationDocument, "  - {after: 4h, tell: [supervisors]}\n", "")).WriteCheck(&b, time.Date(2026, time.November, 23, 9, 0, 0, 0, time.UTC))
	for _, want := range []string{
		"at the breach (priority high, urgent): assignee, person Jane-7, webhook ops-2, priority raised\n",
		"2h after the breach (resolution): person 42, person lee, webhook ops\n",
		"at the breach (first_response, priority normal): person lee\n",
		"Nobody is notified of a first_response breach at priority low: no escalation step applies.",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("lacks %q:\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "of a resolution breach") {
		t.Errorf("warns of a breach that is notified:\n%s", b.String())
	}
}
