package main

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/temporalio/ui-server/v2/server/api"
	uiconfig "github.com/temporalio/ui-server/v2/server/config"
	"github.com/temporalio/ui-server/v2/server/csrf"
	"github.com/temporalio/ui-server/v2/server/headers"
	"github.com/temporalio/ui-server/v2/server/route"
	"github.com/temporalio/ui-server/v2/ui"
)

// uiServer serves Temporal's web UI. ui-server's own server answers to any Host and ends the process when it cannot
// listen, so its routes are mounted here, behind a server of ours.
type uiServer struct{ http http.Server }

// startUI listens at the UI's port and serves it until stop is called.
func startUI(opts options, frontend string) (*uiServer, error) {
	handler, err := uiHandler(opts, frontend)
	if err != nil {
		return nil, fmt.Errorf("configure the web UI: %w", err)
	}
	listener, err := net.Listen("tcp", net.JoinHostPort(loopback, strconv.Itoa(opts.uiPort)))
	if err != nil {
		return nil, fmt.Errorf("listen for the web UI: %w", err)
	}
	s := &uiServer{http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}}
	go func() { _ = s.http.Serve(listener) }() // until stop
	return s, nil
}

// stop cuts every connection, long polls included.
func (s *uiServer) stop() { _ = s.http.Close() }

// uiHandler is what server.NewServer of ui-server mounts, without CORS and sign-in, which nothing here needs. Requests
// from pages of another origin change nothing, whatever headers they carry: ui-server's own check is skipped for those
// with an Authorization header.
func uiHandler(opts options, frontend string) (http.Handler, error) {
	config, err := uiconfig.NewConfigProviderWithRefresh(settings{uiConfig(opts.namespace, frontend)})
	if err != nil {
		return nil, err
	}
	assets, err := ui.Assets()
	if err == nil {
		assets, err = fs.Sub(assets, "local")
	}
	if err != nil {
		return nil, err
	}
	e := echo.New()
	const insecureCookie = false
	e.Use(middleware.Recover(), middleware.Gzip(), middleware.Secure(),
		csrf.EnsureTokenCookie(insecureCookie), middleware.CSRFWithConfig(csrf.MiddlewareConfig(config, insecureCookie)))
	route.SetHealthRoute(e)
	err = errors.Join(
		route.SetAPIRoutes(e, config, []api.Middleware{headers.WithForwardHeaders([]string{"Caller-Type"})}),
		route.SetUIRoutes(e, "", assets, config),
	)
	if err != nil {
		return nil, err
	}
	route.SetRenderRoute(e, "/")
	return loopbackOnly(http.NewCrossOriginProtection().Handler(e)), nil
}

// uiConfig leaves out the actions that end, hold or repeat a workflow; signals and updates stay. The variables are those
// of Temporal's own image of the UI.
func uiConfig(namespace, frontend string) *uiconfig.Config {
	return &uiconfig.Config{
		TemporalGRPCAddress: frontend,
		DefaultNamespace:    namespace,
		EnableUI:            true,
		HideLogs:            true,
		DisableNewsFetch:    true,
		CORS:                uiconfig.CORS{CookieInsecure: true}, // plain HTTP on loopback

		WorkflowTerminateDisabled: disabled("TEMPORAL_WORKFLOW_TERMINATE_DISABLED"),
		WorkflowCancelDisabled:    disabled("TEMPORAL_WORKFLOW_CANCEL_DISABLED"),
		WorkflowResetDisabled:     disabled("TEMPORAL_WORKFLOW_RESET_DISABLED"),
		WorkflowPauseDisabled:     disabled("TEMPORAL_WORKFLOW_PAUSE_DISABLED"),
		BatchActionsDisabled:      disabled("TEMPORAL_BATCH_ACTIONS_DISABLED"),
		StartWorkflowDisabled:     disabled("TEMPORAL_START_WORKFLOW_DISABLED"),
		ActivityCommandsDisabled:  disabled("TEMPORAL_ACTIVITY_COMMANDS_DISABLED"),
	}
}

// disabled reports whether an action is off, which only the value false of its variable changes.
func disabled(variable string) bool { return os.Getenv(variable) != "false" }

// settings are a configuration that does not change.
type settings struct{ *uiconfig.Config }

func (s settings) GetConfig() (*uiconfig.Config, error) { return s.Config, nil }
