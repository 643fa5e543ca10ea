package app_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

// declaration is an emergency that was declared with a key.
type declaration struct {
	id          ticket.EmergencyID
	fingerprint []byte
}

// memoryEmergencies is an in-memory store of emergencies.
type memoryEmergencies struct {
	all  []desk.Emergency
	runs map[string]string
	ends map[string]*ticket.ManualEmergencyResult
	keys map[string]declaration
	away error
}

func (b *memoryEmergencies) Emergencies(context.Context) ([]desk.Emergency, error) {
	return b.all, b.away
}

func (b *memoryEmergencies) ScheduleTx(_ context.Context, _ string, fn func(app.ScheduleTx) error) error {
	return fn(b)
}

func (b *memoryEmergencies) Next() time.Time { return noon }

func (b *memoryEmergencies) DeclaredBefore(_ context.Context, _ ticket.PersonID, key string) (ticket.EmergencyID, []byte, error) {
	return b.keys[key].id, b.keys[key].fingerprint, nil
}

func (b *memoryEmergencies) CountUnended(context.Context) (int, error) { return len(b.all), nil }

func (b *memoryEmergencies) Emergency(_ context.Context, id ticket.EmergencyID) (desk.Emergency, error) {
	return *b.find(id), nil
}

func (b *memoryEmergencies) AddEmergency(_ context.Context, _ ticket.PersonID, e desk.Emergency, key desk.IdempotencyKey) (desk.Emergency, error) {
	b.all = append(b.all, e)
	b.keys[key.Key] = declaration{e.ID, key.Fingerprint}
	return e, nil
}

func (b *memoryEmergencies) UpdateEmergency(_ context.Context, _ ticket.PersonID, e desk.Emergency, _ desk.EmergencyAction) (desk.Emergency, error) {
	*b.find(e.ID) = e
	return e, nil
}

func (b *memoryEmergencies) BeginManualCommand(_ context.Context, key, run string) (string, *ticket.ManualEmergencyResult, error) {
	if b.runs == nil {
		b.runs, b.ends = map[string]string{}, map[string]*ticket.ManualEmergencyResult{}
	}
	if _, begun := b.runs[key]; !begun {
		b.runs[key] = run
	}
	return b.runs[key], b.ends[key], nil
}

func (b *memoryEmergencies) EndManualCommand(_ context.Context, key string, result ticket.ManualEmergencyResult) error {
	b.ends[key] = &result
	return nil
}

func (b *memoryEmergencies) find(id ticket.EmergencyID) *desk.Emergency {
	for i := range b.all {
		if b.all[i].ID == id {
			return &b.all[i]
		}
	}
	return nil
}

func inForce(id ticket.EmergencyID, until time.Time) desk.Emergency {
	return desk.Emergency{Emergency: ticket.Emergency{ID: id, Kind: ticket.EmergencyClosed, From: noon.Add(-time.Hour), Until: until}, Notice: "n"}
}

func plannedOne(id ticket.EmergencyID) desk.Emergency {
	return desk.Emergency{Emergency: ticket.Emergency{ID: id, Kind: ticket.EmergencyClosed, From: noon.Add(time.Hour)}, Notice: "n"}
}

func TestExecute_executesOrRefusesWithReason(t *testing.T) {
	const one, two ticket.EmergencyID = "E-0000000001", "E-0000000002"
	lasting := []desk.Emergency{inForce(one, noon.Add(2*time.Hour))}
	for name, c := range map[string]struct {
		before        []desk.Emergency
		signal        string
		payload       string
		done, refused string // a part of it
	}{
		"close now":                {nil, "declare", `{"kind":"closed"}`, "declared: closed from 2026-11-02T12:00:00Z until it is lifted", ""},
		"close later":              {nil, "declare", `{"kind":"closed","from":"2026-11-03T08:00:00+01:00","until":"2026-11-04T08:00:00+01:00"}`, "from 2026-11-03T07:00:00Z until 2026-11-04T07:00:00Z", ""},
		"delay":                    {nil, "declare", `{"kind":"delayed","seconds":3600}`, "targets 1h0m0s longer", ""},
		"delay without how much":   {nil, "declare", `{"kind":"delayed"}`, "", "seconds must be"},
		"delay beyond all measure": {nil, "declare", `{"kind":"delayed","seconds":9223372036854775807}`, "", "seconds must be"},
		"delay backwards":          {nil, "declare", `{"kind":"delayed","seconds":-3600}`, "", "seconds must be"},
		"no kind":                  {nil, "declare", ``, "", "kind must be"},
		"another kind":             {nil, "declare", `{"kind":"shut"}`, "", "kind must be"},
		"in the past":              {nil, "declare", `{"kind":"closed","from":"2020-01-01T00:00:00Z"}`, "", "from must be in the future"},
		"no instant":               {nil, "declare", `{"kind":"closed","until":"tomorrow"}`, "", "until is not a time"},
		"ends before it begins":    {nil, "declare", `{"kind":"closed","from":"2026-11-04T00:00:00Z","until":"2026-11-03T00:00:00Z"}`, "", "until "},
		"words":                    {nil, "declare", `{"kind":"closed","notice":"Jane is ill"}`, "", "declare takes only"},
		"misspelt":                 {lasting, "extend", `{"untill":"2026-11-03T00:00:00Z"}`, "", "extend takes only"},
		"not JSON":                 {lasting, "lift", `{`, "", "not a JSON object"},
		"an array":                 {lasting, "lift", `[]`, "", "not a JSON object"},
		"a wrong type":             {lasting, "extend", `{"until":7}`, "", "wrong type"},
		"two in one":               {lasting, "lift", `{}{}`, "", "not a JSON object"},
		"unknown":                  {lasting, "explode", ``, "", "no such signal"},
		"lift":                     {lasting, "lift", ``, "lifted: closed", ""},
		"lift null":                {lasting, "lift", `null`, "lifted: closed", ""},
		"lift by name":             {append([]desk.Emergency{inForce(two, time.Time{})}, lasting...), "lift", `{"emergency":"E-0000000002"}`, "lifted", ""},
		"lift which":               {append([]desk.Emergency{inForce(two, time.Time{})}, lasting...), "lift", ``, "", "2 emergencies are in-force: name one by its ID"},
		"lift nothing":             {nil, "lift", ``, "", "no emergency is in-force"},
		"lift a planned one":       {[]desk.Emergency{plannedOne(one)}, "lift", ``, "", "no emergency is in-force"},
		"lift a stranger":          {lasting, "lift", `{"emergency":"E-0000000009"}`, "", "is not in-force"},
		"lift nonsense":            {lasting, "lift", `{"emergency":"; drop"}`, "", "not a valid emergency ID"},
		"cancel":                   {[]desk.Emergency{plannedOne(one)}, "cancel", ``, "cancelled: closed", ""},
		"cancel what has begun":    {lasting, "cancel", ``, "", "no emergency is planned"},
		"extend":                   {lasting, "extend", `{"until":"2026-11-03T00:00:00Z"}`, "until 2026-11-03T00:00:00Z", ""},
		"extend until lifted":      {lasting, "extend", `{"until":"lifted"}`, "until it is lifted", ""},
		"extend to earlier":        {lasting, "extend", `{"until":"2026-11-02T13:00:00Z"}`, "", "not later than the current end"},
		"extend without end":       {[]desk.Emergency{inForce(one, time.Time{})}, "extend", `{"until":"2026-11-03T00:00:00Z"}`, "", "not later than the current end"},
		"shorten":                  {lasting, "change", `{"until":"2026-11-02T13:00:00Z"}`, "until 2026-11-02T13:00:00Z", ""},
		"change nothing":           {lasting, "change", `{}`, "", "changes nothing"},
		"move what has begun":      {lasting, "change", `{"from":"2026-11-03T00:00:00Z"}`, "", "already started"},
	} {
		t.Run(name, func(t *testing.T) {
			b := &memoryEmergencies{all: append([]desk.Emergency{}, c.before...), keys: map[string]declaration{}}
			o := app.NewManualEmergencies(b, b, b, func() time.Time { return noon })
			command := ticket.ManualEmergencyCommand{Key: "run/1", Name: c.signal, Payload: c.payload}
			got, err := o.Execute(t.Context(), command)
			if err != nil || !strings.Contains(got.Done, c.done) || !strings.Contains(got.Refused, c.refused) || (got.Refused == "") != (c.refused == "") {
				t.Errorf("%+v, %v", got, err)
			}
			if c.refused != "" {
				for i, e := range b.all {
					if !e.Same(c.before[i]) {
						t.Errorf("refused, and changed %+v to %+v", c.before[i], e)
					}
				}
				if len(b.all) != len(c.before) {
					t.Error("refused, and declared")
				}
			}
			if c.signal == "declare" && c.done != "" {
				if again, err := o.Execute(t.Context(), command); err != nil || again.Emergency != got.Emergency || len(b.all) != 1 {
					t.Errorf("tried again: %+v, %v, %d declared", again, err, len(b.all))
				}
			}
		})
	}
}

func TestExecute_returnsOutagesAsErrors(t *testing.T) {
	b := &memoryEmergencies{away: fault.New(fault.Unavailable, "PostgreSQL does not answer")}
	o := app.NewManualEmergencies(b, b, b, func() time.Time { return noon })
	if got, err := o.Execute(t.Context(), ticket.ManualEmergencyCommand{Key: "run/1", Name: "lift"}); !errors.Is(err, b.away) || got.Refused != "" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestStandardNotice_isValid(t *testing.T) {
	for _, kind := range ticket.EmergencyKinds() {
		p := desk.EmergencyPlan{Kind: kind, Notice: app.StandardNotice(kind)}
		if kind == ticket.EmergencyDelayed {
			p.By = time.Hour
		}
		if _, err := p.Declared(ticket.NewEmergencyID(), desk.Ref{}, noon); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// After a reset, Temporal delivers signals again, and a repeated lift could end another emergency.
func TestExecute_refusesCommandsOfAnotherRun(t *testing.T) {
	b := &memoryEmergencies{keys: map[string]declaration{}}
	o := app.NewManualEmergencies(b, b, b, func() time.Time { return noon.Add(time.Minute) })
	carry := func(key, run, name, payload string) ticket.ManualEmergencyResult {
		t.Helper()
		got, err := o.Execute(t.Context(), ticket.ManualEmergencyCommand{Key: key, Run: run, Name: name, Payload: payload})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	carry("declare/1", "one", "declare", `{"kind": "closed"}`)
	first := carry("lift/1", "one", "lift", "")
	if again := carry("lift/1", "one", "lift", ""); again != first || first.Refused != "" {
		t.Errorf("tried again, it says %+v and said %+v", again, first)
	}
	carry("declare/2", "one", "declare", `{"kind": "closed"}`)
	for _, name := range []string{"declare", "lift"} {
		if got := carry(name+"/1", "two", name, `{}`); !strings.Contains(got.Refused, "reset") {
			t.Errorf("%s of another run: %+v", name, got)
		}
	}
	if n := len(b.all); n != 2 || b.all[1].Stage(noon.Add(time.Minute)) != desk.StageInForce {
		t.Errorf("%d emergencies, the second is %s", n, b.all[1].Stage(noon.Add(time.Minute)))
	}
}
