package store_test

import (
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestPolicies_tellVersionsAndNoNames(t *testing.T) {
	d := open(t)
	if _, _, err := app.PublishPolicy(t.Context(), d, []byte(quick), string(d.administrator.ID), "faster"); err != nil {
		t.Fatal(err)
	}
	editions, err := d.Policies(t.Context())
	if err != nil || len(editions) != 2 {
		t.Fatalf("%d editions, %v", len(editions), err)
	}
	newest, first := editions[0], editions[1]
	if newest.Version != 2 || newest.Author != ticket.RoleAdministrator || newest.Reason != "faster" || newest.Policy.Name != "Quick" ||
		string(newest.Document) != quick || time.Since(newest.Effective) > time.Minute {
		t.Errorf("the newest is %+v", newest)
	}
	if first.Version != 1 || first.Author != ticket.RoleOperator || string(first.Document) != string(policy.Holesalemart()) {
		t.Errorf("the first is version %d by %s", first.Version, first.Author)
	}
	if one, err := d.Edition(t.Context(), 1); err != nil || one.Version != 1 || one.Policy != first.Policy {
		t.Errorf("version 1 is %+v, %v", one, err)
	}
	_, err = d.Edition(t.Context(), 3)
	wantKind(t, err, fault.NotFound)
}
