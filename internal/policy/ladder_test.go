package policy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// bareClocks is the least that a policy has, on two lines.
const bareClocks = "time_zone: UTC\nclocks: {first_response: {target: 1h, counts: calendar}, resolution: {target: 2h, counts: calendar}}\n"

// ladder limits its rungs to clocks and priorities, and names people and webhooks.
const ladder = bareClocks + `escalation:
  - {after: 0s, priorities: [high, urgent], tell: [assignee, {person: Jane-7}, {webhook: ops-2}], raise_priority: true}
  - {after: 2h, clocks: [resolution], tell: [{person: "42"}, {person: lee}, {webhook: ops}]}
  - {after: 0s, priorities: [normal], clocks: [first_response], tell: [{person: lee}]}
  - {after: 4h, tell: [supervisors]}
`

func TestParse_readsWhatARungIsForAndWhomItNames(t *testing.T) {
	want := []policy.Rung{
		{
			Priorities: []policy.Priority{"high", "urgent"}, Tell: []policy.Audience{"assignee"},
			People: []string{"Jane-7"}, Webhooks: []string{"ops-2"}, RaisePriority: true,
		},
		{After: 2 * time.Hour, Clocks: []policy.ClockName{"resolution"}, People: []string{"42", "lee"}, Webhooks: []string{"ops"}},
		{Clocks: []policy.ClockName{"first_response"}, Priorities: []policy.Priority{"normal"}, People: []string{"lee"}},
		{After: 4 * time.Hour, Tell: []policy.Audience{"supervisors"}},
	}
	if diff := cmp.Diff(want, parse(t, ladder).Escalation); diff != "" {
		t.Errorf("escalation (-want +got):\n%s", diff)
	}
}

func TestParse_refusesARungThatMeansNothing(t *testing.T) {
	for name, c := range map[string]struct{ rungs, want string }{
		"no clock":           {"- {after: 1h, clocks: [], tell: [assignee]}", "line 4: escalation[0].clocks: names none; leave the key out for all of them"},
		"no priority":        {"- {after: 1h, priorities: [], tell: [assignee]}", "line 4: escalation[0].priorities: names none"},
		"unknown clock":      {"- {after: 1h, clocks: [closure], tell: [assignee]}", `line 4: escalation[0].clocks[0]: "closure" is not one of first_response, resolution`},
		"unknown priority":   {"- {after: 1h, priorities: [vip], tell: [assignee]}", `line 4: escalation[0].priorities[0]: "vip" is not one of low, normal, high, urgent`},
		"twice":              {"- {after: 1h, priorities: [low, low], tell: [assignee]}", `line 4: escalation[0].priorities[1]: "low" is in the list already`},
		"told twice":         {"- {after: 1h, tell: [assignee, assignee]}", `line 4: escalation[0].tell[1]: "assignee" is in the list already`},
		"person twice":       {"- {after: 1h, tell: [{person: Lee}, {person: lee}]}", `line 4: escalation[0].tell[1].person: "lee" is in the list already`},
		"an address":         {"- {after: 1h, tell: [{person: lee@desk.example}]}", `line 4: escalation[0].tell[0].person: "lee@desk.example" is not a handle: letters, digits and hyphens, 40 at most`},
		"webhook's address":  {"- {after: 1h, tell: [{webhook: \"https://ops.example\"}]}", `line 4: escalation[0].tell[0].webhook: "https://ops.example" is not a webhook's name`},
		"both at once":       {"- {after: 1h, tell: [{person: lee, webhook: ops}]}", "line 4: escalation[0].tell[0]: must be {person: HANDLE} or {webhook: NAME}"},
		"neither":            {"- {after: 1h, tell: [{}]}", "line 4: escalation[0].tell[0]: must be {person: HANDLE} or {webhook: NAME}"},
		"a group":            {"- {after: 1h, tell: [{group: ops}]}", `line 4: escalation[0].tell[0]: unknown key "group"; the keys are person, webhook`},
		"a list in the list": {"- {after: 1h, tell: [[assignee]]}", "line 4: escalation[0].tell[0]: must be one of assignee, supervisors, administrators"},
		"same time for some": {"- {after: 1h, tell: [assignee]}\n- {after: 1h, priorities: [low], tell: [supervisors]}", "line 5: escalation[1].after: must be longer than the rung before it (1h)"},
		"earlier, not next":  {"- {after: 2h, priorities: [low], tell: [assignee]}\n- {after: 0s, priorities: [high], tell: [assignee]}\n- {after: 1h, tell: [supervisors]}", "line 6: escalation[2].after: must be longer than the rung before it (2h)"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := policy.Parse([]byte(bareClocks + "escalation:\n" + c.rungs + "\n"))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func TestRung_isForItsClocksAndPriorities(t *testing.T) {
	rungs := parse(t, ladder).Escalation
	for _, c := range []struct {
		rung     int
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
		if got := rungs[c.rung].For(c.clock, c.priority); got != c.want {
			t.Errorf("rung %d is for %s at %s: %v, want %v", c.rung+1, c.clock, c.priority, got, c.want)
		}
	}
}

func TestWords_tellTheLadderWithoutNamingAnybody(t *testing.T) {
	sections := parse(t, ladder).Words()
	var got []string
	for _, s := range sections {
		if s.Title == "If we break a promise" {
			got = s.Lines
		}
	}
	want := []string{
		"At once, if the priority is high or urgent, the agent who has your ticket, a person named for it and a system that watches over the desk are told, and your ticket gets a higher priority.",
		"After 2 hours, if the resolution is late, 2 people named for it and a system that watches over the desk are told.",
		"At once, if the first answer is late and the priority is normal, a person named for it is told.",
		"After 4 hours the supervisors are told.",
		"This goes on until somebody sees to your ticket.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestCheck_showsTheLadderAndWhatItForgets(t *testing.T) {
	var b strings.Builder
	parse(t, strings.ReplaceAll(ladder, "  - {after: 4h, tell: [supervisors]}\n", "")).WriteCheck(&b, time.Date(2026, time.November, 23, 9, 0, 0, 0, time.UTC))
	for _, want := range []string{
		"at the breach (priority high, urgent): assignee, person Jane-7, webhook ops-2, priority raised\n",
		"2h after the breach (resolution): person 42, person lee, webhook ops\n",
		"at the breach (first_response, priority normal): person lee\n",
		"A broken first_response is told to nobody at priority low: escalation has no rung for it.",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("lacks %q:\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "A broken resolution") {
		t.Errorf("warns of a resolution that is told:\n%s", b.String())
	}
}
