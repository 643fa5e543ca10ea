package api

import (
	"context"
	"log/slog"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
)

// workflows returns the state of the tickets' workflows, as the reconciler last recorded it.
type workflows interface {
	Reconciliation(context.Context) (desk.Reconciliation, error)
}

type workflowsView struct {
	Well        bool       `json:"well"`
	LastLook    *time.Time `json:"last_look"` // null: none yet
	Missing     int        `json:"missing"`
	Stuck       int        `json:"stuck"`
	OwedMissing int        `json:"owed_without_workflow"`
	Parked      int        `json:"parked"`
	Auditing    bool       `json:"auditing"`
	Audited     int64      `json:"audited"` // in the audit under way, or the last one
	Restarted   int64      `json:"restarted"`
}

// workflowsView returns the state of the workflows, or nil if it can't be read. That does not make the process unready.
func (h health) workflowsView(ctx context.Context) *workflowsView {
	if h.workflows == nil {
		return nil
	}
	r, err := h.workflows.Reconciliation(ctx)
	if err != nil {
		h.log.LogAttrs(ctx, slog.LevelWarn, "the state of the workflows can't be read", slog.String("error", err.Error()))
		return nil
	}
	view := &workflowsView{
		Well: r.Well(time.Now()), Missing: r.Missing, Stuck: r.Stuck, OwedMissing: r.OwedMissing, Parked: r.Parked,
		Auditing: r.Auditing(), Audited: r.Audited, Restarted: r.Restarted,
	}
	if !r.Looked.IsZero() {
		view.LastLook = &r.Looked
	}
	return view
}
