package store_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestPublishPolicy_versionsAreForGood(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	if v, published, err := app.PublishPolicy(t.Context(), d, policy.Holesalemart(), "again", ""); v != 1 || published || err != nil {
		t.Errorf("the same again: version %d, published %v, %v", v, published, err)
	}
	if v, published, err := app.PublishPolicy(t.Context(), d, []byte(quick), "me", "faster"); v != 2 || !published || err != nil {
		t.Errorf("another: version %d, published %v, %v", v, published, err)
	}
	v, p, document, err := d.PolicyInForce(t.Context())
	if v != 2 || p.Name != "Quick" || string(document) != quick || err != nil {
		t.Errorf("in force: %d, %v", v, err)
	}
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbAssign})
	if record, err := d.Track(t.Context(), n); err != nil || record.Policy != 1 || d.submit(d.customer).Policy != 2 {
		t.Errorf("the old ticket is under version %d, %v", record.Policy, err)
	}
	for _, change := range []string{`UPDATE policies SET author = 'somebody'`, `DELETE FROM policies WHERE version = 2`} {
		if _, err := d.beside.Exec(t.Context(), change); err == nil {
			t.Errorf("%s was let through", change)
		}
	}
}

func TestPublishPolicy_namesEveryProblem(t *testing.T) {
	d := open(t)
	_, _, err := app.PublishPolicy(t.Context(), d, []byte("name: x\nnonsense: 1\n"), "me", "")
	wantKind(t, err, fault.Invalid)
	if problems, ok := errors.AsType[policy.Problems](err); !ok || len(problems) < 2 {
		t.Errorf("problems %v", problems)
	}
	_, err = d.Policy(t.Context(), 7)
	wantKind(t, err, fault.NotFound)
}

func TestPublishPolicy_atOnceGivesEachAVersion(t *testing.T) {
	d := open(t)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			document := strings.Replace(quick, "Quick", fmt.Sprint("Quick ", i), 1)
			if _, published, err := app.PublishPolicy(t.Context(), d, []byte(document), "me", ""); !published || err != nil {
				t.Errorf("published %v, %v", published, err)
			}
		})
	}
	all.Wait()
	if v, _, _, err := d.PolicyInForce(t.Context()); v != 9 || err != nil {
		t.Errorf("version %d, %v, want 9", v, err)
	}
}

func TestPolicies_listVersionsAndNoNames(t *testing.T) {
	d := open(t)
	if _, _, err := app.PublishPolicy(t.Context(), d, []byte(quick), string(d.administrator.ID), "faster"); err != nil {
		t.Fatal(err)
	}
	versions, err := d.Policies(t.Context())
	if err != nil || len(versions) != 2 {
		t.Fatalf("%d versions, %v", len(versions), err)
	}
	newest, first := versions[0], versions[1]
	if newest.Version != 2 || newest.Author != ticket.RoleAdministrator || newest.Reason != "faster" || newest.Policy.Name != "Quick" ||
		string(newest.Document) != quick || time.Since(newest.Effective) > time.Minute {
		t.Errorf("the newest is %+v", newest)
	}
	if first.Version != 1 || first.Author != ticket.RoleOperator || string(first.Document) != string(policy.Holesalemart()) {
		t.Errorf("the first is version %d by %s", first.Version, first.Author)
	}
	if one, err := d.PolicyVersion(t.Context(), 1); err != nil || one.Version != 1 || one.Policy != first.Policy {
		t.Errorf("version 1 is %+v, %v", one, err)
	}
	_, err = d.PolicyVersion(t.Context(), 3)
	wantKind(t, err, fault.NotFound)
}
