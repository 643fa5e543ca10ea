package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// result is what a command left behind.
type result struct {
	out, err string
	failure  error
}

// call runs the program as main does, in an environment of its own.
func call(t *testing.T, environment map[string]string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	err := run(t.Context(), args, func(key string) string { return environment[key] }, &stdout, &stderr)
	return result{stdout.String(), stderr.String(), err}
}

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "policy.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestHelp_listsWhatPeopleMayRun(t *testing.T) {
	got := call(t, nil, "--help")
	if got.failure != nil || got.err != "" {
		t.Fatalf("help fails: %v, %s", got.failure, got.err)
	}
	for _, command := range []string{
		"up", "api", "worker", "migrate", "people add", "people list", "people link", "people token", "people revoke", "people disable",
		"policy check", "policy due", "policy publish", "policy list", "policy diff", "policy holidays", "version",
		"doctor", "reconcile", "restored",
	} {
		if !strings.Contains(got.out, "\n  "+command+" ") && !strings.Contains(got.out, "\n  "+command+"\n") {
			t.Errorf("help does not list %s:\n%s", command, got.out)
		}
	}
	for _, hidden := range []string{"local-api", "local-mailbox", "health"} {
		if strings.Contains(got.out, hidden) {
			t.Errorf("help shows %s, which is not for people", hidden)
		}
	}
	for _, word := range []string{"SUPPORTDESK_", "TEMPORAL_", "README"} {
		if !strings.Contains(got.out, word) {
			t.Errorf("help does not say how to configure it: no %s", word)
		}
	}
}

func TestHelp_explainsEveryCommandAndFlag(t *testing.T) {
	for command, words := range map[string][]string{
		"up":              {"--data=", "--policy=", "--port=8080", "--ui-port=8233", "--mailbox-port=8025", "--smtp-port=1025", "--postgres-port=5433"},
		"api":             {"HTTP API"},
		"worker":          {"mails"},
		"migrate":         {"--policy=", "--skip-temporal", "search attributes"},
		"restored":        {"--reason=TEXT", "--by=TEXT", "--yes", "would do"},
		"people add":      {"--role=", "customer,agent,supervisor,administrator", "--name=", "--email=", "--handle="},
		"people token":    {"<who>", "Handle or email address"},
		"people link":     {"--email=", "--lasts=1h"},
		"people revoke":   {"<who>"},
		"doctor":          {"--repair", "--quick"},
		"reconcile":       {"Temporal"},
		"policy check":    {"<file>", "YAML"},
		"policy due":      {"<file>", "--at=RFC3339", "--priority=", "low,normal,high,urgent"},
		"policy publish":  {"<file>", "--reason=TEXT", "--effective=RFC3339", "--author=HANDLE"},
		"policy list":     {"published versions"},
		"policy diff":     {"<old>", "<new>", "words"},
		"policy holidays": {"<file>", "iCalendar", "--from=DATE", "--to=DATE"},
		"version":         {"version"},
	} {
		// Nothing is configured here: help must not need it.
		got := call(t, nil, append(strings.Fields(command), "--help")...)
		if got.failure != nil || got.err != "" {
			t.Errorf("%s --help fails: %v, %s", command, got.failure, got.err)
		}
		if !strings.HasPrefix(got.out, "Usage: supportdesk "+command) {
			t.Errorf("%s --help begins with %.60q", command, got.out)
		}
		for _, word := range words {
			if !strings.Contains(got.out, word) {
				t.Errorf("%s --help does not show %s:\n%s", command, word, got.out)
			}
		}
		if strings.Contains(got.out, "${") {
			t.Errorf("%s --help shows a placeholder:\n%s", command, got.out)
		}
	}
}

func TestRun_refusesWhatItDoesNotKnow(t *testing.T) {
	for _, c := range []struct{ args, names string }{
		{"", "expected one of"},
		{"serve", "serve"},
		{"api --port 1", "--port"},
		{"up --port many", "--port"},
		{"up --policy /nowhere.yaml", "/nowhere.yaml"},
		{"people", "expected one of"},
		{"people add --role king --name A --email a@b.example", "king"},
		{"people add --role agent --name A", "--email"},
		{"people token", "<who>"},
		{"policy check", "<file>"},
		{"policy check /nowhere.yaml", "/nowhere.yaml"},
		{"health", "<url>"},
	} {
		got := call(t, nil, strings.Fields(c.args)...)
		if got.failure == nil || !strings.Contains(got.failure.Error(), c.names) || !strings.Contains(got.failure.Error(), "--help") {
			t.Errorf("supportdesk %s: got %v, want an error that names %s and the way to help", c.args, got.failure, c.names)
		}
		if got.out != "" {
			t.Errorf("supportdesk %s: prints %q", c.args, got.out)
		}
	}
}

func TestRun_reportsEveryConfigurationErrorAtOnce(t *testing.T) {
	environment := map[string]string{
		"SUPPORTDESK_BASE_URL": "nowhere", "SUPPORTDESK_SMTP_PORT": "x", "SUPPORTDESK_LOG_FORMAT": "xml", "SUPPORTDESK_SHUTDOWN_TIMEOUT": "0s",
	}
	for _, command := range []string{"api", "worker", "migrate", "people list", "people token somebody"} {
		got := call(t, environment, strings.Fields(command)...)
		if got.failure == nil || errors.Is(got.failure, errReported) {
			t.Fatalf("%s runs without a database", command)
		}
		for _, name := range []string{
			"SUPPORTDESK_DATABASE_URL", "SUPPORTDESK_BASE_URL", "SUPPORTDESK_SMTP_PORT", "SUPPORTDESK_LOG_FORMAT", "SUPPORTDESK_SHUTDOWN_TIMEOUT",
		} {
			if strings.Count(got.failure.Error(), name) != 1 {
				t.Errorf("%s: does not report %s once: %v", command, name, got.failure)
			}
		}
	}
}

// Lines of a process that serves are all JSON then. People read those of other commands.
func TestRun_logsAsJSONWhyAServerEnds(t *testing.T) {
	const setting = "SUPPORTDESK_METRICS_ADDRESS"
	environment := map[string]string{"SUPPORTDESK_LOG_FORMAT": "json", setting: ":bad"}
	for _, command := range []string{"api", "worker", "mail", "local-api --mailbox=http://127.0.0.1", "local-mailbox --dir=" + t.TempDir() + " --smtp=" + setting + " --http=:0"} {
		got := call(t, environment, strings.Fields(command)...)
		var line struct{ Level, Error string }
		if err := json.Unmarshal([]byte(got.err), &line); err != nil || line.Level != "ERROR" || !strings.Contains(line.Error, setting) || !errors.Is(got.failure, errReported) {
			t.Errorf("%s: ends with %v and %q", command, got.failure, got.err)
		}
	}
	for _, command := range []string{"migrate", "people list"} {
		if got := call(t, environment, strings.Fields(command)...); got.failure == nil || errors.Is(got.failure, errReported) || got.err != "" {
			t.Errorf("%s: ends with %v and %q", command, got.failure, got.err)
		}
	}
}

func TestVersion_saysWhatWasBuilt(t *testing.T) {
	for set, want := range map[string]string{"v1.2.3": "supportdesk v1.2.3 (", "": "supportdesk " + versionName() + " ("} {
		version = set
		got := call(t, nil, "version")
		version = ""
		if got.failure != nil || !strings.HasPrefix(got.out, want) || !strings.Contains(got.out, runtime.Version()) {
			t.Errorf("version %q: got %q, %v", set, got.out, got.failure)
		}
	}
}

func TestPolicyCheck_printsExamplesAndTheContradiction(t *testing.T) {
	got := call(t, nil, "policy", "check", file(t, string(policy.Holesalemart())))
	if got.failure != nil || got.err != "" {
		t.Fatalf("the policy as shipped is refused: %v\n%s", got.failure, got.err)
	}
	for _, word := range []string{"Holesalemart Customer Support Policy", "Worked examples", "Warnings (", "72h"} {
		if !strings.Contains(got.out, word) {
			t.Errorf("no %q in:\n%s", word, got.out)
		}
	}
}

// broken has an error on line 2 and two on line 3.
const broken = `name: Broken
time_zone: Nowhere/Land
hours: {monday: ["17:00-10:00"], moonday: ["10:00-17:00"]}
clocks:
  first_response: {target: 72h, counts: business_hours}
  resolution: {target: 10d, counts: calendar}
`

func TestPolicy_printsALineForEachError(t *testing.T) {
	path := file(t, broken)
	configured := map[string]string{"SUPPORTDESK_DATABASE_URL": "postgres://127.0.0.1:1/nothing"}
	for _, args := range [][]string{
		{"policy", "check", path},
		{"policy", "due", path, "--at", "2026-11-30T10:00:00Z"},
		{"up", "--policy", path, "--data", t.TempDir()}, // before it starts anything
		{"migrate", "--policy", path},                   // before it touches the database
	} {
		got := call(t, configured, args...)
		if !errors.Is(got.failure, errReported) || got.out != "" {
			t.Errorf("%v: got %v and %q, want a failure that has been reported", args, got.failure, got.out)
		}
		for _, place := range []string{path + ":2:", path + ":3:"} {
			if !strings.Contains(got.err, place) {
				t.Errorf("%v: no error at %s in:\n%s", args, place, got.err)
			}
		}
		for line := range strings.Lines(got.err) {
			if !strings.HasPrefix(line, path+":") || strings.Contains(line, ":0:") || strings.Contains(line, ": : ") {
				t.Errorf("%v: the line %q does not read well", args, line)
			}
		}
	}
}

func TestPolicy_readsWhatIsWrongWithAWholeDocument(t *testing.T) {
	for _, text := range []string{"", "[]", "name: x\n\tbad", "\xff\xfe"} {
		path := file(t, text)
		got := call(t, nil, "policy", "check", path)
		if !errors.Is(got.failure, errReported) || got.err == "" {
			t.Errorf("%q: got %v and %q", text, got.failure, got.err)
		}
		for line := range strings.Lines(got.err) {
			if !strings.HasPrefix(line, path+":") || strings.Contains(line, ":0:") || strings.Contains(line, ": : ") {
				t.Errorf("%q: the line %q does not read well", text, line)
			}
		}
	}
}

func TestPolicyDue_printsBothDeadlinesInUTC(t *testing.T) {
	shipped := file(t, string(policy.Holesalemart()))
	const quick = `name: Quick
time_zone: America/New_York
hours: {monday: ["09:00-17:00"], tuesday: ["09:00-17:00"]}
clocks:
  first_response: {target: 4h, counts: business_hours}
  resolution: {target: 10d, counts: calendar}
priorities: {urgent: {first_response: 1h, resolution: 1d}}
`
	zoned := file(t, quick)
	for _, c := range []struct {
		name, args, response, resolution string
	}{
		// 72 hours at seven a day: ten working days and two hours.
		{"a Monday morning", shipped + " --at 2026-11-30T10:00:00Z", "2026-12-14T12:00:00Z", "2026-12-10T10:00:00Z"},
		{"an instant of elsewhere", shipped + " --at 2026-11-30T15:30:00+05:30", "2026-12-14T12:00:00Z", "2026-12-10T10:00:00Z"},
		{"a fraction of a second", shipped + " --at 2026-11-30T10:00:00.9Z", "2026-12-14T12:00:00Z", "2026-12-10T10:00:00Z"},
		{"a Saturday", shipped + " --at 2026-11-28T12:00:00Z", "2026-12-14T12:00:00Z", "2026-12-08T12:00:00Z"},
		{"the policy's own zone", zoned + " --at 2026-11-30T14:00:00Z", "2026-11-30T18:00:00Z", "2026-12-10T14:00:00Z"},
		{"urgent", zoned + " --at 2026-11-30T14:00:00Z --priority urgent", "2026-11-30T15:00:00Z", "2026-12-01T14:00:00Z"},
		{"low, like normal here", zoned + " --at 2026-11-30T14:00:00Z --priority=low", "2026-11-30T18:00:00Z", "2026-12-10T14:00:00Z"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := call(t, nil, append([]string{"policy", "due"}, strings.Fields(c.args)...)...)
			if got.failure != nil {
				t.Fatal(got.failure)
			}
			var due map[string]string
			if err := json.Unmarshal([]byte(got.out), &due); err != nil {
				t.Fatalf("%q is not JSON: %v", got.out, err)
			}
			if len(due) != 2 || due["first_response_due"] != c.response || due["resolution_due"] != c.resolution {
				t.Errorf("got %s, want %s and %s", got.out, c.response, c.resolution)
			}
		})
	}
}

func TestPolicyDue_refusesWhatIsNoInstantOrPriority(t *testing.T) {
	path := file(t, string(policy.Holesalemart()))
	for flags, names := range map[string]string{
		"":                     "--at",
		"--at yesterday":       "yesterday",
		"--at 2026-11-30":      "2026-11-30",
		"--at 2026-11-30T10:0": "RFC 3339",
		"--at 2026-11-30T10:00:00Z --priority asap": "asap",
	} {
		got := call(t, nil, append([]string{"policy", "due", path}, strings.Fields(flags)...)...)
		if got.failure == nil || !strings.Contains(got.failure.Error(), names) || got.out != "" {
			t.Errorf("%q: got %q and %v, want an error that names %s", flags, got.out, got.failure, names)
		}
	}
}

func TestHealth_believesOnly200(t *testing.T) {
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	for _, status = range []int{http.StatusOK, http.StatusServiceUnavailable, http.StatusFound, http.StatusNotFound} {
		got := call(t, nil, "health", server.URL+"/readyz")
		if well := got.failure == nil; well != (status == http.StatusOK) {
			t.Errorf("%d is taken for well: %v (%v)", status, well, got.failure)
		}
	}
	server.Close()
	if got := call(t, nil, "health", server.URL); got.failure == nil {
		t.Error("a process that is gone is taken for well")
	}
}
