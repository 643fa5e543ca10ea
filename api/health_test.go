package api_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/api"
	"github.com/holesalemart/supportdesk/internal/desk"
)

// workflowState is a stored state of the workflows, or the error of reading it.
type workflowState struct {
	stand desk.Reconciliation
	err   error
}

func (l workflowState) Reconciliation(context.Context) (desk.Reconciliation, error) {
	return l.stand, l.err
}

// What is wrong with workflows is shown, and is no reason to send people elsewhere.
func TestReady_showsHowWorkflowsStand(t *testing.T) {
	now := time.Now()
	for _, c := range []struct {
		name  string
		stand workflowState
		wants []string
	}{
		{"well", workflowState{stand: desk.Reconciliation{CheckedAt: now}}, []string{`"status":"ready"`, `"well":true`, `"last_look":"`, `"auditing":false`}},
		{"never looked", workflowState{}, []string{`"status":"degraded"`, `"well":false`, `"last_look":null`}},
		{"not looked for long", workflowState{stand: desk.Reconciliation{CheckedAt: now.Add(-time.Hour)}}, []string{`"status":"degraded"`, `"well":false`}},
		{
			"missing", workflowState{stand: desk.Reconciliation{CheckedAt: now, Missing: 3, OwedMissing: 2, AuditBegan: now, Audited: 500}},
			[]string{`"status":"degraded"`, `"missing":3`, `"owed_without_workflow":2`, `"auditing":true`, `"audited":500`},
		},
		{"stuck", workflowState{stand: desk.Reconciliation{CheckedAt: now, Stuck: 1}}, []string{`"status":"degraded"`, `"stuck":1`}},
		{"not known", workflowState{err: errors.New(secret)}, []string{`"status":"ready"`}},
	} {
		h, _ := serve(t, &scripted{}, func(config *api.Config) { config.Workflows = c.stand })
		a := do(t, h, call{method: "GET", path: "/readyz"})
		for _, want := range c.wants {
			if a.Code != 200 || !strings.Contains(a.Body.String(), want) || strings.Contains(a.Body.String(), "hunter2") {
				t.Errorf("%s: %d %s, without %s", c.name, a.Code, a.Body, want)
			}
		}
	}
}
