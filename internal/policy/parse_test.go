package policy_test

import (
	"errors"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// everything uses each key of a document.
const everything = `
name: Everything
contact: help@shop.example
privacy_url: https://shop.example/privacy
time_zone: Europe/Berlin
hours:
  monday: ["13:00-17:00", "09:00-12:00"]
  saturday: ["22:00-24:00"]
  sunday: ["00:00-02:00", "02:00-03:00"]
  tuesday: []
holidays:
  - {date: 2026-12-25, name: Christmas Day}
  - {date: "2026-12-31", until: 2027-01-01}
clocks:
  first_response: {target: 72h, counts: business_hours, remind_at: 75%}
  resolution: {target: 10d, counts: calendar, remind_at: 1%, pauses: [waiting, resolved]}
priorities:
  urgent: {first_response: 8h, resolution: 3d}
  low: {resolution: 20d}
customers_choose_priority: true
silence: {nudge_after: 3d, resolve_after: 7d, close_after: 0s}
escalation:
  - {after: 0s, tell: [assignee, supervisors], raise_priority: true}
  - {after: 24h, tell: [administrators]}
categories: [billing, returns_2-x]
assignment:
  - {categories: [billing], group: money-2, by: round_robin, reassign_on_breach: [resolution, first_response]}
  - {group: everyone, by: least_loaded}
`

func TestParse_readsEveryKey(t *testing.T) {
	p := parse(t, everything)
	zone, calendar := p.Zone, p.Calendar
	p.Zone, p.Calendar = nil, nil
	want := &policy.Policy{
		Name: "Everything", Contact: "help@shop.example", PrivacyURL: "https://shop.example/privacy",
		Clocks: map[policy.ClockName]policy.Rule{
			policy.FirstResponse: {Target: 72 * time.Hour, Counts: policy.CountBusinessHours, RemindAt: 75},
			policy.Resolution: {Target: 240 * time.Hour, Counts: policy.CountCalendar, RemindAt: 1,
				Pauses: []policy.Reason{policy.ReasonWaiting, policy.ReasonResolved}},
		},
		Priorities: map[policy.Priority]map[policy.ClockName]time.Duration{
			policy.PriorityUrgent: {policy.FirstResponse: 8 * time.Hour, policy.Resolution: 72 * time.Hour},
			policy.PriorityLow:    {policy.Resolution: 480 * time.Hour},
		},
		CustomersChoosePriority: true,
		Silence:                 policy.Silence{NudgeAfter: 72 * time.Hour, ResolveAfter: 168 * time.Hour},
		Escalation: []policy.EscalationStep{
			{Notify: []policy.Audience{policy.NotifyAssignee, policy.NotifySupervisors}, RaisePriority: true},
			{After: 24 * time.Hour, Notify: []policy.Audience{policy.NotifyAdministrators}},
		},
		Categories: []string{"billing", "returns_2-x"},
		Assignment: []policy.Assignment{
			{Categories: []string{"billing"}, Group: "money-2", By: policy.ByRoundRobin, ReassignOnBreach: []policy.ClockName{policy.Resolution, policy.FirstResponse}},
			{Group: policy.Everyone, By: policy.ByLeastLoaded},
		},
	}
	if !reflect.DeepEqual(p, want) {
		t.Errorf("got  %+v\nwant %+v", p, want)
	}
	if zone.String() != "Europe/Berlin" || calendar.Zone() != zone {
		t.Errorf("zone %s", zone)
	}
	if got, want := calendar.Hours(time.Monday), []string{"09:00-12:00", "13:00-17:00"}; !slices.Equal(got, want) {
		t.Errorf("Monday %v, want %v", got, want)
	}
	if got := calendar.Hours(time.Saturday); !slices.Equal(got, []string{"22:00-24:00"}) {
		t.Errorf("Saturday %v", got)
	}
	var holidays []string
	for _, h := range calendar.Holidays() {
		holidays = append(holidays, h.Date.Format(time.DateOnly)+h.Name)
	}
	if want := []string{"2026-12-25Christmas Day", "2026-12-31", "2027-01-01"}; !slices.Equal(holidays, want) {
		t.Errorf("holidays %v, want %v", holidays, want)
	}
}

func TestTarget_prefersThePrioritysOwn(t *testing.T) {
	p := parse(t, everything)
	for _, tt := range []struct {
		clock    policy.ClockName
		priority policy.Priority
		want     time.Duration
	}{
		{policy.FirstResponse, policy.PriorityUrgent, 8 * time.Hour},
		{policy.FirstResponse, policy.PriorityLow, 72 * time.Hour},
		{policy.Resolution, policy.PriorityLow, 480 * time.Hour},
		{policy.Resolution, policy.PriorityHigh, 240 * time.Hour},
	} {
		if got := p.Target(tt.clock, tt.priority); got != tt.want {
			t.Errorf("%s at %s: %s, want %s", tt.clock, tt.priority, got, tt.want)
		}
	}
}

func TestPriority_raised(t *testing.T) {
	for from, to := range map[policy.Priority]policy.Priority{"low": "normal", "normal": "high", "high": "urgent", "urgent": "urgent", "odd": "odd"} {
		if got := from.Next(); got != to {
			t.Errorf("%s raised is %s, want %s", from, got, to)
		}
	}
	if policy.Priority("").Valid() || !policy.PriorityLow.Valid() {
		t.Error("Valid accepted an unknown priority, or rejected a known one")
	}
}

func TestParse_shortTargets(t *testing.T) {
	document, err := os.ReadFile("../../examples/fast-policy.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p := parse(t, string(document))
	at := utc(t, "2026-12-26 03:00")
	got, err := p.DeadlinesFor(at, policy.PriorityNormal)
	if err != nil || got.FirstResponse.Sub(at) != 10*time.Second || got.Resolution.Sub(at) != 30*time.Second {
		t.Errorf("promised %+v (%v)", got, err)
	}
	if want := (policy.Silence{NudgeAfter: 5 * time.Second, ResolveAfter: 10 * time.Second, CloseAfter: 10 * time.Second}); p.Silence != want {
		t.Errorf("silence %+v", p.Silence)
	}
	if warnings := p.Lint(); len(warnings) > 0 {
		t.Errorf("warnings %q", warnings)
	}
}

// base is valid. Tests append an error from line 5 on, or replace a part.
const base = `time_zone: UTC
clocks:
  first_response: {target: 1h, counts: calendar}
  resolution: {target: 2h, counts: calendar}
`

func clocks(first string) string {
	return "time_zone: UTC\nhours: {monday: ['10:00-17:00']}\nclocks:\n  first_response: " + first + "\n  resolution: {target: 2h, counts: calendar}\n"
}

func TestParse_reportsTheProblemAndItsLine(t *testing.T) {
	tests := map[string]struct{ document, want string }{
		"empty":               {"", "line 1: the document is empty"},
		"comment only":        {"# nothing\n", "line 1: the document is empty"},
		"not YAML":            {"a: b\nc: [1,\n", "line 3: not YAML: did not find expected node content while parsing a flow node"},
		"a tab":               {"a:\n\tb: c\n", "line 2: not YAML: found character that cannot start any token while scanning for the next token"},
		"a list":              {"- a\n", "line 1: must be a mapping with the keys name, contact"},
		"two documents":       {base + "---\na: b\n", "line 5: a policy is one YAML document; a second one starts here"},
		"junk after the end":  {base + "...\n]\n", "line 6: not YAML: did not find expected node content"},
		"not UTF-8":           {base + "name: \xff\n", "line 5: the document is not UTF-8"},
		"UTF-16":              {"\xff\xfea\x00", "line 1: the document is not UTF-8"},
		"control character":   {base + "name: \x01\n", "line 5: the control character U+0001 is not allowed"},
		"too large":           {base + "#" + strings.Repeat("x", 256<<10), "line 1: the document is over 256 KiB"},
		"alias":               {base + "name: &n x\ncontact: *n\n", "line 5: an anchor (&n) is not allowed in a policy\nline 6: an alias (*n) is not allowed in a policy"},
		"tag":                 {base + "name: !!str 1\n", "line 5: a tag (!!str) is not allowed in a policy"},
		"deep":                {strings.Repeat("[", 20000), "line 1: not YAML: exceeded max depth"},
		"unknown key":         {base + "nmae: x\n", `line 5: unknown key "nmae"; the keys are name, contact`},
		"unknown deep key":    {base + "silence: {nudge: 1d}\n", `line 5: silence: unknown key "nudge"; the keys are nudge_after, resolve_after, close_after`},
		"a key that is a map": {base + "? {a: b}\n: x\n", `line 5: unknown key ""`},
		"duplicate key":       {base + "name: a\nname: b\n", "line 6: name: duplicate key, first defined on line 5"},
		"no value":            {base + "name:\n", "line 5: name: has no value; omit the key or add a value"},
		"missing":             {"name: a\n", "line 1: time_zone: is missing\nline 1: clocks: is missing"},
		"name is a number":    {base + "name: 12\n", `line 5: name: must be text; quote "12" to make it text`},
		"name is blank":       {base + "name: ' '\n", "line 5: name: is blank"},
		"name is long":        {base + "name: " + strings.Repeat("é", 201) + "\n", "line 5: name: is over 200 characters long"},
		"name has lines":      {base + `name: "a\nb"` + "\n", "line 5: name: must be one line of printable characters"},
		"name is a list":      {base + "name: [a]\n", "line 5: name: must be text"},
		"contact":             {base + "contact: Bob <b@x.example>\n", `line 5: contact: "Bob <b@x.example>" is not an email address`},
		"privacy":             {base + "privacy_url: javascript:alert(1)\n", `line 5: privacy_url: "javascript:alert(1)" is not a URL`},
		"zone":                {strings.Replace(base, "UTC", "Mars/Olympus", 1), `line 1: time_zone: "Mars/Olympus" is not a time zone`},
		"the host's link":     {strings.Replace(base, "UTC", "localtime", 1), `line 1: time_zone: "localtime" is not a time zone`},
		"the host's zone":     {strings.Replace(base, "UTC", "Local", 1), `line 1: time_zone: "Local" is not a time zone`},
		"zone on disk":        {strings.Replace(base, "UTC", "../UTC", 1), `line 1: time_zone: "../UTC" is not a time zone`},
		"weekday":             {base + "hours: {mon: []}\n", `line 5: hours: unknown key "mon"; the keys are monday, tuesday`},
		"no span list":        {base + "hours: {monday: '10:00-17:00'}\n", "line 5: hours.monday: must be a list"},
		"span":                {base + "hours: {monday: ['9:00-17:00']}\n", `line 5: hours.monday[0]: "9:00-17:00" must be opening hours such as "10:00-17:00"`},
		"hour":                {base + "hours: {monday: ['25:00-26:00']}\n", "line 5: hours.monday[0]: 25:00 is not a time of day"},
		"minute":              {base + "hours: {monday: ['10:00-10:60']}\n", "line 5: hours.monday[0]: 10:60 is not a time of day (the end of a day is 24:00)"},
		"after midnight":      {base + "hours: {monday: ['10:00-24:01']}\n", "line 5: hours.monday[0]: 24:01 is not a time of day (the end of a day is 24:00)"},
		"24:00 as a start":    {base + "hours: {monday: ['24:00-24:00']}\n", "line 5: hours.monday[0]: 24:00 is not a time of day"},
		"empty span":          {base + "hours: {monday: ['10:00-10:00']}\n", "line 5: hours.monday[0]: 10:00-10:00 ends before it starts"},
		"over midnight":       {base + "hours: {monday: ['22:00-02:00']}\n", "line 5: hours.monday[0]: 22:00-02:00 ends before it starts; split hours over midnight into two spans"},
		"overlap":             {base + "hours:\n  monday:\n  - 12:00-14:00\n  - 10:00-12:01\n", "line 7: hours.monday[0]: 12:00-14:00 overlaps 10:00-12:01"},
		"holiday":             {base + "holidays: [{date: 2026-02-30}]\n", `line 5: holidays[0].date: "2026-02-30" is not a date such as 2026-12-25`},
		"holiday twice":       {base + "holidays:\n- {date: 2026-12-25}\n- {date: 2026-12-24, until: 2026-12-26}\n", "line 7: holidays[1]: 2026-12-25 is a holiday already, on line 6"},
		"holiday backwards":   {base + "holidays: [{date: 2026-12-25, until: 2026-12-24}]\n", "line 5: holidays[0].until: is before the date 2026-12-25"},
		"holiday for ever":    {base + "holidays: [{date: 2026-12-25, until: 9999-12-24}]\n", "line 5: holidays[0]: exceeds 3660 days of holidays"},
		"no rule":             {clocks("72h"), "line 4: clocks.first_response: must be a mapping with the keys target, counts"},
		"no target":           {clocks("{counts: calendar}"), "line 4: clocks.first_response.target: is missing"},
		"zero target":         {clocks("{target: 0s, counts: calendar}"), "line 4: clocks.first_response.target: must be longer than zero"},
		"negative target":     {clocks("{target: -1h, counts: calendar}"), `line 4: clocks.first_response.target: "-1h" is not a duration`},
		"bare number":         {clocks("{target: 72, counts: calendar}"), `line 4: clocks.first_response.target: "72" is not a duration: write 72h`},
		"long target":         {clocks("{target: 3661d, counts: calendar}"), "line 4: clocks.first_response.target: 3661d is longer than 3660d"},
		"counts":              {clocks("{target: 1h, counts: days}"), `line 4: clocks.first_response.counts: "days" is not one of business_hours, business_days, calendar`},
		"remind at 0%":        {clocks("{target: 1h, counts: calendar, remind_at: 0%}"), `line 4: clocks.first_response.remind_at: "0%" must be a percentage from 1% to 99%`},
		"remind at 100%":      {clocks("{target: 1h, counts: calendar, remind_at: 100%}"), `line 4: clocks.first_response.remind_at: "100%" must be a percentage`},
		"remind at 0.75":      {clocks("{target: 1h, counts: calendar, remind_at: 0.75}"), `line 4: clocks.first_response.remind_at: "0.75" must be a percentage`},
		"pause":               {clocks("{target: 1h, counts: calendar, pauses: [emergency]}"), `line 4: clocks.first_response.pauses[0]: "emergency" is not one of waiting, resolved`},
		"pause twice":         {clocks("{target: 1h, counts: calendar, pauses: [waiting, waiting]}"), `line 4: clocks.first_response.pauses[1]: "waiting" is listed twice`},
		"never opens":         {strings.Replace(base, "1h, counts: calendar", "1h, counts: business_hours", 1), "line 3: clocks.first_response: counts business_hours, but no day has opening hours"},
		"never has days":      {base[:len(base)-len("calendar}\n")] + "business_days}\nhours: {monday: []}\n", "line 4: clocks.resolution: counts business_days, but no day has opening hours"},
		"hardly opens":        {strings.Replace(clocks("{target: 3660d, counts: business_hours}"), "10:00-17:00", "10:00-10:10", 1), "line 4: clocks.first_response: 3660d would take more than twenty years of business_hours"},
		"priority":            {base + "priorities: {vital: {}}\n", `line 5: priorities: unknown key "vital"; the keys are low, normal, high, urgent`},
		"priority's target":   {base + "priorities: {low: {resolution: 0d}}\n", "line 5: priorities.low.resolution: must be longer than zero"},
		"choice":              {base + "customers_choose_priority: yes\n", `line 5: customers_choose_priority: must be true or false, not "yes"`},
		"quoted choice":       {base + "customers_choose_priority: 'true'\n", `line 5: customers_choose_priority: must be true or false, not "true"`},
		"silence":             {base + "silence: {nudge_after: 3d, resolve_after: 72h}\n", "line 5: silence.resolve_after: must be longer than nudge_after (72h)"},
		"steps":               {base + "escalation:\n- {after: 1h, tell: [assignee]}\n- {after: 60m, tell: [assignee]}\n", "line 7: escalation[1].after: must be longer than in the previous step (1h)"},
		"step for no one":     {base + "escalation: [{after: 1h, tell: []}]\n", "line 5: escalation[0].tell: must not be empty"},
		"step for strangers":  {base + "escalation: [{after: 1h, tell: [police]}]\n", `line 5: escalation[0].tell[0]: "police" is not one of assignee, supervisors, administrators`},
		"step without after":  {base + "escalation: [{tell: [assignee]}]\n", "line 5: escalation[0].after: is missing"},
		"category":            {base + "categories: [Odd One]\n", `line 5: categories[0]: "Odd One" must consist of`},
		"category twice":      {base + "categories: [a, a]\n", `line 5: categories[1]: "a" is listed twice`},
		"assignment":          {base + "assignment: {group: vans}\n", "line 5: assignment: must be a list"},
		"rule without group":  {base + "assignment:\n- {by: round_robin}\n", "line 6: assignment[0].group: is missing"},
		"rule without by":     {base + "assignment:\n- {group: vans}\n", "line 6: assignment[0].by: is missing"},
		"rule by chance":      {base + "assignment:\n- {group: vans, by: dice}\n", `line 6: assignment[0].by: "dice" is not one of round_robin, least_loaded`},
		"group's handle":      {base + "assignment:\n- {group: The Vans, by: round_robin}\n", `line 6: assignment[0].group: "The Vans" is not a valid group handle`},
		"strange category":    {base + "assignment:\n- {categories: [order, ships], group: vans, by: round_robin}\ncategories: [order]\n", `line 6: assignment[0].categories[1]: "ships" is not a category of this policy: order`},
		"rule's category 2x":  {base + "assignment:\n- {categories: [order, order], group: vans, by: round_robin}\n", `line 6: assignment[0].categories[1]: "order" is listed twice`},
		"rule for nothing":    {base + "assignment:\n- {categories: [], group: vans, by: round_robin}\n", "line 6: assignment[0].categories: must not be empty; omit the key to include all categories"},
		"strange breach":      {base + "assignment:\n- {group: vans, by: round_robin, reassign_on_breach: true}\n", "line 6: assignment[0].reassign_on_breach: must be a list"},
		"breach of nothing":   {base + "assignment:\n- {group: vans, by: round_robin, reassign_on_breach: [nap]}\n", `line 6: assignment[0].reassign_on_breach[0]: "nap" is not one of first_response, resolution`},
		"no category":         {base + "categories: []\n", "line 5: categories: must not be empty"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p, err := policy.Parse([]byte(tt.document))
			if p != nil || err == nil {
				t.Fatalf("was accepted: %+v", p)
			}
			got, want := strings.Split(err.Error(), "\n"), strings.Split(tt.want, "\n")
			if !slices.EqualFunc(got, want, strings.HasPrefix) {
				t.Errorf("got\n%s\nwant\n%s", err, tt.want)
			}
		})
	}
}

func TestParse_baseIsValid(t *testing.T) {
	p := parse(t, base)
	if want := []string{"general", "order", "delivery", "payment", "returns", "account"}; !slices.Equal(p.Categories, want) || p.Name == "" {
		t.Errorf("name %q, categories %v", p.Name, p.Categories)
	}
	parse(t, "\ufeff"+base)
	parse(t, strings.ReplaceAll(base, "\n", "\r\n"))
}

func TestParse_reportsAllProblems(t *testing.T) {
	_, err := policy.Parse([]byte(`
escalation: [{after: 1x, tell: [nobody]}]
clocks:
  resolution: {target: 0h, counts: lunar, remind_at: 750%}
time_zone: Nowhere
colour: red
`))
	problems, ok := errors.AsType[policy.Problems](err)
	if !ok {
		t.Fatalf("got %v, want Problems", err)
	}
	var places []string
	for _, p := range problems {
		if p.Column < 1 {
			t.Errorf("%s has no column", p)
		}
		places = append(places, strings.SplitN(p.String(), ": ", 3)[0]+" "+p.Path)
	}
	want := []string{
		"line 2 escalation[0].after", "line 2 escalation[0].tell[0]",
		"line 4 clocks.first_response", "line 4 clocks.resolution.target", "line 4 clocks.resolution.counts", "line 4 clocks.resolution.remind_at",
		"line 5 time_zone", "line 6 ",
	}
	if !slices.Equal(places, want) {
		t.Errorf("got  %q\nwant %q", places, want)
	}
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Kind != fault.Invalid || len(f.Details) != len(problems) || f.Details[0].Field != "escalation[0].after" {
		t.Errorf("as a fault: %+v", f)
	}
}

// FuzzParse checks that Parse returns a policy whose deadlines can be computed, or problems with positions.
func FuzzParse(f *testing.F) {
	f.Add(policy.Holesalemart())
	for _, seed := range []string{everything, base, base + "hours: {sunday: ['00:00-24:00']}", "a: &a [*a]", "? ", "\xef\xbb\xbfname: x", clocks("{target: 1s, counts: business_days}")} {
		f.Add([]byte(seed))
	}
	at := time.Date(2026, time.October, 24, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, document []byte) {
		p, err := policy.Parse(document)
		if err != nil {
			problems, ok := errors.AsType[policy.Problems](err)
			if !ok || len(problems) == 0 || p != nil {
				t.Fatalf("got %v", err)
			}
			lines := strings.Count(string(document), "\n") + strings.Count(string(document), "\r") + strings.Count(string(document), "\u2028") + strings.Count(string(document), "\u2029") + strings.Count(string(document), "\u0085") + 2
			for i, problem := range problems {
				if problem.Line < 1 || problem.Line > lines || problem.Message == "" || i > 0 && problem.Line < problems[i-1].Line {
					t.Fatalf("problem %d is %+v in %d lines", i, problem, lines)
				}
			}
			return
		}
		for _, priority := range policy.Priorities() {
			promised, err := p.DeadlinesFor(at, priority)
			if err != nil || !promised.FirstResponse.After(at) || !promised.Resolution.After(at) {
				t.Fatalf("promised %+v (%v)", promised, err)
			}
		}
		for _, e := range p.Examples(at) {
			if e.Title == "" || !e.At.IsZero() && e.FirstResponse.Before(e.At) {
				t.Fatalf("example %+v", e)
			}
		}
	})
}
