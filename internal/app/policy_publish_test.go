package app_test

import (
	"context"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// publications is an in-memory store of published versions with a fixed clock.
type publications struct {
	newest app.NewestPolicy
	added  []desk.Published
}

func (p *publications) PublishTx(_ context.Context, fn func(app.PublishTx) error) error { return fn(p) }

func (p *publications) PublishedBefore(context.Context, string, string) (desk.Published, []byte, bool, error) {
	return desk.Published{Version: 7}, []byte("first"), true, nil
}

func (p *publications) NewestPolicy(context.Context) (app.NewestPolicy, error) { return p.newest, nil }

func (p *publications) AddPolicy(_ context.Context, _ desk.Publication, as desk.Published) error {
	p.added = append(p.added, as)
	return nil
}

func TestPublish_refusesEffectiveDatesInThePastOrBeforeThePreviousVersion(t *testing.T) {
	clock := time.Date(2026, time.May, 4, 12, 0, 0, 500, time.UTC)
	now, tomorrow := clock.Truncate(time.Second), clock.Add(24*time.Hour).Truncate(time.Second)
	first, second := app.NewestPolicy{Clock: clock}, app.NewestPolicy{Version: 1, Document: []byte("x"), Effective: now.Add(-time.Hour), Clock: clock}
	planned := second
	planned.Effective = tomorrow
	for name, c := range map[string]struct {
		newest    app.NewestPolicy
		effective time.Time
		want      time.Time // zero: refused
	}{
		"at once":                    {second, time.Time{}, now},
		"this very second":           {second, clock, now},
		"tomorrow":                   {second, tomorrow.Add(700 * time.Millisecond), tomorrow},
		"a second ago":               {second, now.Add(-time.Second), time.Time{}},
		"with the planned version":   {planned, tomorrow, tomorrow},
		"before a planned version":   {planned, tomorrow.Add(-time.Second), time.Time{}},
		"now, though one is ahead":   {planned, time.Time{}, time.Time{}},
		"the first one":              {first, time.Time{}, now},
		"the first one, but later":   {first, tomorrow, time.Time{}},
		"the first one, in the past": {first, now.Add(-time.Hour), time.Time{}},
	} {
		t.Run(name, func(t *testing.T) {
			store := &publications{newest: c.newest}
			p, err := app.Publish(t.Context(), store, desk.Publication{Document: policy.Holesalemart(), Effective: c.effective})
			if c.want.IsZero() {
				if fault.KindOf(err) != fault.Invalid || len(store.added) != 0 {
					t.Errorf("published %+v, %v", store.added, err)
				}
				return
			}
			if want := (desk.Published{Version: c.newest.Version + 1, Effective: c.want, At: clock}); err != nil || p != want || len(store.added) != 1 || store.added[0] != want {
				t.Errorf("published %+v and answered %+v, %v; want %+v", store.added, p, err, want)
			}
		})
	}
}

func TestPublish_isIdempotent(t *testing.T) {
	store := &publications{}
	p := desk.Publication{Document: policy.Holesalemart(), IdempotencyKey: desk.IdempotencyKey{Key: "k", Fingerprint: []byte("first")}}
	if got, err := app.Publish(t.Context(), store, p); err != nil || got != (desk.Published{Version: 7, Again: true}) {
		t.Errorf("%+v, %v", got, err)
	}
	p.IdempotencyKey.Fingerprint = []byte("another")
	if _, err := app.Publish(t.Context(), store, p); fault.KindOf(err) != fault.Conflict || len(store.added) != 0 {
		t.Errorf("published %+v, %v", store.added, err)
	}
}
