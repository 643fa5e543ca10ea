package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// checkTime limits the check of one dependency.
const checkTime = 2 * time.Second

// Health returns a handler of /healthz and /readyz only, for a process without an API. A nil log means slog.Default.
func Health(version string, checks []Check, w workflows, log *slog.Logger) http.Handler {
	if log == nil {
		log = slog.Default()
	}
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	health{version: version, checks: checks, workflows: w, log: log}.mount(engine)
	return engine
}

// health serves liveness and readiness.
type health struct {
	version   string
	checks    []Check
	workflows workflows // nil: not shown
	log       *slog.Logger
}

func (h health) mount(engine *gin.Engine) {
	engine.GET("/healthz", h.healthz)
	engine.GET("/readyz", h.readyz)
}

type healthView struct {
	Status  string `json:"status"`
	Version string `json:"version,omitempty"`
}

type readyView struct {
	Status    string               `json:"status"` // ready, degraded (something optional is down, or workflows are not well) or unready
	Checks    map[string]checkView `json:"checks"`
	Workflows *workflowsView       `json:"workflows,omitempty"`
}

type checkView struct {
	Status   string `json:"status"`           // up or down
	Reason   string `json:"reason,omitempty"` // why it is down, if anybody may know; the log has the cause
	Optional bool   `json:"optional,omitempty"`
	TookMS   int64  `json:"took_ms"`
}

// healthz reports that the process responds. It checks no dependency.
func (h health) healthz(c *gin.Context) {
	writeJSON(c, http.StatusOK, healthView{Status: "ok", Version: h.version})
}

// readyz checks all dependencies concurrently.
func (h health) readyz(c *gin.Context) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), checkTime)
	defer cancel()
	answers := make([]checkView, len(h.checks))
	var asking sync.WaitGroup
	for i, check := range h.checks {
		asking.Go(func() { answers[i] = h.ask(ctx, check) })
	}
	var shown *workflowsView
	asking.Go(func() { shown = h.workflowsView(ctx) })
	asking.Wait()
	view, status := readyView{Status: "ready", Checks: map[string]checkView{}, Workflows: shown}, http.StatusOK
	if shown != nil && !shown.Well {
		view.Status = "degraded"
	}
	for i, check := range h.checks {
		view.Checks[check.Name] = answers[i]
		switch {
		case answers[i].Status == "up":
		case !check.Optional:
			view.Status, status = "unready", http.StatusServiceUnavailable
		case view.Status == "ready":
			view.Status = "degraded"
		}
	}
	writeJSON(c, status, view)
}

func (h health) ask(ctx context.Context, check Check) checkView {
	started := time.Now()
	err := check.Ask(ctx)
	view := checkView{Status: "up", Optional: check.Optional, TookMS: time.Since(started).Milliseconds()}
	if err != nil {
		view.Status = "down"
		if known, ok := errors.AsType[*fault.Error](err); ok {
			view.Reason = known.Message
		}
		h.log.LogAttrs(ctx, slog.LevelWarn, "dependency is down",
			slog.String("dependency", check.Name), slog.String("error", err.Error()))
	}
	return view
}

func writeJSON(c *gin.Context, status int, body any) {
	c.Header("Content-Type", mediaJSON) // gin's own has a charset, which JSON does not define
	c.JSON(status, body)
}

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
		Well: r.Healthy(time.Now()), Missing: r.Missing, Stuck: r.Stuck, OwedMissing: r.OwedMissing, Parked: r.Parked,
		Auditing: r.Auditing(), Audited: r.Audited, Restarted: r.Restarted,
	}
	if !r.CheckedAt.IsZero() {
		view.LastLook = &r.CheckedAt
	}
	return view
}
