package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/local"
)

func TestUp_aRefusalLeavesNoDirectoryBehind(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	_, port, _ := net.SplitHostPort(taken.Addr().String())
	temporal := filepath.Join(t.TempDir(), "temporal")
	if err := os.WriteFile(temporal, nil, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		settings map[string]string
		args     []string
		says     string
	}{
		"a port in use":                   {args: []string{"--port", port}, says: "port " + port + " is in use"},
		"a port of health checks in use":  {args: []string{"--health-port", port}, says: "port " + port + " is in use"},
		"a malformed setting of the log":  {settings: map[string]string{"SUPPORTDESK_LOG_FORMAT": "xml"}, says: "SUPPORTDESK_LOG_FORMAT"},
		"a malformed setting of webhooks": {settings: map[string]string{"SUPPORTDESK_WEBHOOKS": "nothing"}, says: "SUPPORTDESK_WEBHOOKS"},
		"no Temporal":                     {settings: map[string]string{"SUPPORTDESK_TEMPORAL_BIN": "/nowhere"}, says: "there is no Temporal server"},
		"no PostgreSQL":                   {settings: map[string]string{"SUPPORTDESK_POSTGRES_BIN": "/nowhere"}, says: "/nowhere contains no working postgres"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("SUPPORTDESK_TEMPORAL_BIN", temporal)
			for key, value := range c.settings {
				t.Setenv(key, value)
			}
			parent := filepath.Join(t.TempDir(), "new")
			free := []string{"up", "--data", filepath.Join(parent, "data"), "--ui-port", "0", "--mailbox-port", "0", "--smtp-port", "0", "--temporal-port", "0", "--postgres-port", "0"}
			if !slices.Contains(c.args, "--port") {
				free = append(free, "--port", "0")
			}
			got := call(t, nil, append(free, c.args...)...)
			if got.failure == nil || !strings.Contains(got.failure.Error(), c.says) {
				t.Errorf("it ends with %v", got.failure)
			}
			if _, err := os.Stat(parent); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("there is %s (%v)", parent, err)
			}
		})
	}
}

func TestUp_listsTheHealthChecksOfItsParts(t *testing.T) {
	var stdout strings.Builder
	s := &stack{program: &program{stdout: &stdout}, command: upCommand{Data: "/data", Port: 1, HealthPort: 2, MailHealth: 3}}
	if err := s.welcome(); err != nil {
		t.Fatal(err)
	}
	const want = "Health http://127.0.0.1:1/readyz (of the API; http://127.0.0.1:2/readyz of the worker, http://127.0.0.1:3/readyz of the receiver of mail)"
	if got := strings.Join(strings.Fields(stdout.String()), " "); !strings.Contains(got, want) {
		t.Errorf("it does not list them: %s", stdout.String())
	}
	env := s.environment(&local.Postgres{})
	for _, want := range []string{"SUPPORTDESK_HEALTH_ADDRESS=127.0.0.1:2", "SUPPORTDESK_MAIL_HEALTH_ADDRESS=127.0.0.1:3"} {
		if !slices.Contains(env, want) {
			t.Errorf("the parts don't get %s", want)
		}
	}
}

func TestUp_saysWhatItDoesInTheFormatOfTheLog(t *testing.T) {
	for format, count := range map[string]struct{ stdout, stderr int }{"text": {5, 0}, "json": {0, 3}} {
		t.Setenv("SUPPORTDESK_LOG_FORMAT", format)
		t.Setenv("SUPPORTDESK_SMTP_HOST", "smtp.invalid")
		var stdout, stderr strings.Builder
		p := &program{ctx: t.Context(), getenv: os.Getenv, stdout: &stdout, stderr: &stderr}
		said, err := newProgress(p)
		if err != nil {
			t.Fatal(err)
		}
		said.line("restarting worker: it said:\n  panic: boom")
		for _, piece := range []string{"policy version 1 ", "is in force\n\nand ano", "ther line\n"} {
			_, _ = fmt.Fprint(said, piece)
		}
		if strings.Count(stdout.String(), "\n") != count.stdout || strings.Count(stderr.String(), "\n") != count.stderr {
			t.Errorf("%s: it prints %q and %q", format, stdout.String(), stderr.String())
		}
		for line := range strings.Lines(stderr.String()) {
			var entry struct{ Msg string }
			if err := json.Unmarshal([]byte(line), &entry); err != nil || entry.Msg == "" {
				t.Errorf("%q is not a line of the log: %v", line, err)
			}
		}
		if env := (&stack{}).environment(&local.Postgres{}); !slices.Contains(env, "SUPPORTDESK_LOG_FORMAT="+format) || slices.Contains(env, "SUPPORTDESK_SMTP_HOST=smtp.invalid") {
			t.Errorf("%s: the parts get %q", format, env)
		}
	}
}
