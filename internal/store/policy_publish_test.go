package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
)

func TestPublish_takesEffectWhenItSays(t *testing.T) {
	d := open(t)
	at := time.Now().UTC().Add(2 * time.Second).Truncate(time.Second)
	p, err := app.Publish(t.Context(), d, desk.Publication{Document: []byte(quick), Author: string(d.supervisor.ID), Reason: "faster", Effective: at})
	if err != nil || p.Version != 2 || !p.Effective.Equal(at) || p.At.After(p.Effective) {
		t.Fatalf("published %+v, %v", p, err)
	}
	if v, _, _, err := d.PolicyInForce(t.Context()); v != 1 || err != nil {
		t.Errorf("before it takes effect version %d is in force, %v", v, err)
	}
	if a := d.submit(d.customer); a.Policy != 1 || !a.At.Before(at) {
		t.Errorf("a ticket of %s is under version %d", a.At, a.Policy)
	}
	// Every ticket on the way there is under the version in force at the very second of its acceptance.
	for a := d.submit(d.customer); ; a = d.submit(d.customer) {
		if want := int64(1); a.At.Before(at) && a.Policy != want || !a.At.Before(at) && a.Policy != 2 {
			t.Fatalf("a ticket of %s is under version %d, version 2 takes effect at %s", a.At, a.Policy, at)
		}
		if a.At.After(at) {
			break
		}
	}
	if v, p, _, err := d.PolicyInForce(t.Context()); v != 2 || p.Name != "Quick" || err != nil {
		t.Errorf("then version %d is in force, %v", v, err)
	}
}

func TestPublish_refusesAnEffectiveDateOutOfOrder(t *testing.T) {
	d := open(t)
	later := time.Now().Add(48 * time.Hour)
	if _, err := app.Publish(t.Context(), d, desk.Publication{Document: []byte(quick), Effective: later}); err != nil {
		t.Fatal(err)
	}
	another := []byte(strings.Replace(quick, "Quick", "Slow", 1))
	for name, at := range map[string]time.Time{
		"in the past": time.Now().Add(-2 * time.Second), "now, before an earlier version": {}, "before an earlier version": later.Add(-time.Second),
	} {
		if _, err := app.Publish(t.Context(), d, desk.Publication{Document: another, Effective: at}); fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if p, err := app.Publish(t.Context(), d, desk.Publication{Document: another, Effective: later}); err != nil || p.Version != 3 {
		t.Errorf("at the same instant: %+v, %v", p, err)
	}
	_, err := d.beside.Exec(t.Context(), `INSERT INTO policies (version, document, sha, author, reason, effective_at)
		VALUES (9, 'x', sha256('x'), '', '', clock_timestamp())`)
	if err == nil {
		t.Error("the table took a version that takes effect before an earlier one")
	}
}

func TestPublish_repeatedPublishesOnce(t *testing.T) {
	d := open(t)
	p := desk.Publication{Document: []byte(quick), Author: string(d.supervisor.ID), Reason: "faster", IdempotencyKey: desk.IdempotencyKey{Key: "k", Fingerprint: []byte("f")}}
	first, err := app.Publish(t.Context(), d, p)
	if err != nil || first.Again {
		t.Fatalf("%+v, %v", first, err)
	}
	if _, _, err := app.PublishPolicy(t.Context(), d, policy.Holesalemart(), "somebody", "back"); err != nil {
		t.Fatal(err)
	}
	again, err := app.Publish(t.Context(), d, p)
	if err != nil || !again.Again || again.Version != first.Version || !again.At.Equal(first.At) {
		t.Errorf("again: %+v, %v, first %+v", again, err, first)
	}
	p.IdempotencyKey.Fingerprint = []byte("g")
	_, err = app.Publish(t.Context(), d, p)
	wantKind(t, err, fault.Conflict)
	p.IdempotencyKey = desk.IdempotencyKey{}
	p.Document = policy.Holesalemart()
	if same, err := app.Publish(t.Context(), d, p); fault.KindOf(err) != fault.Conflict || same.Version != 3 {
		t.Errorf("the newest one's document: %+v, %v", same, err)
	}
}

func TestPolicyVersionRecords_nameThePublisherAndCountOpenTickets(t *testing.T) {
	d := open(t)
	d.taken(d.customer)
	if _, _, err := app.PublishPolicy(t.Context(), d, []byte(quick), string(d.supervisor.ID), "faster"); err != nil {
		t.Fatal(err)
	}
	d.taken(d.customer)
	d.taken(d.other)
	records, err := d.PolicyVersionRecords(t.Context())
	if err != nil || len(records) != 2 {
		t.Fatalf("%v, %v", records, err)
	}
	if r := records[0]; r.Publisher != d.supervisor.Name || r.Tickets != 2 || r.Reason != "faster" || r.Published.IsZero() {
		t.Errorf("the newest is %+v", r)
	}
	if r := records[1]; r.Publisher != "a test" || r.Tickets != 1 {
		t.Errorf("the first is %+v", r)
	}
}
