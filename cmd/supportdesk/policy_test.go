package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/store"
)

func TestPolicyDiff_saysInWordsWhatChanged(t *testing.T) {
	dir := t.TempDir()
	was, is := filepath.Join(dir, "was.yaml"), filepath.Join(dir, "is.yaml")
	document := string(policy.Holesalemart())
	changed := strings.Replace(document, "\n  first_response: {target: 72h, counts: business_hours,", "\n  first_response: {target: 3d, counts: business_days,", 1)
	for file, text := range map[string]string{was: document, is: changed} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got := call(t, nil, "policy", "diff", was, is)
	if want := "First response: 72 hours during opening hours → 3 business days\n"; got.failure != nil || got.out != want {
		t.Errorf("%v, %q, want %q", got.failure, got.out, want)
	}
	if got := call(t, nil, "policy", "diff", was, was); got.out != "No differences.\n" {
		t.Errorf("%q", got.out)
	}
}

func TestPolicyHolidays_printsWhatAPolicyTakes(t *testing.T) {
	file := filepath.Join(t.TempDir(), "h.ics")
	text := "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;VALUE=DATE:20201225\r\n" +
		"DTEND;VALUE=DATE:20201227\r\nRRULE:FREQ=YEARLY\r\nSUMMARY:Christmas\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	got := call(t, nil, "policy", "holidays", file, "--from", "2027-01-01", "--to", "2027-12-31")
	if want := "holidays:\n  - {date: 2027-12-25, until: 2027-12-26, name: \"Christmas\"}\n"; got.failure != nil || got.out != want {
		t.Errorf("%v, %q, want %q", got.failure, got.out, want)
	}
	for _, wrong := range [][]string{{"--from", "soon"}, {"--to", "2999-01-01"}} {
		if got := call(t, nil, append([]string{"policy", "holidays", file}, wrong...)...); got.failure == nil {
			t.Errorf("%v is taken: %s", wrong, got.out)
		}
	}
}

func TestPolicyPublish_keepsAVersionThatListAndDiffKnow(t *testing.T) {
	environment := map[string]string{"SUPPORTDESK_DATABASE_URL": pgtest.Template(t, "cmd", store.Migrate), "SUPPORTDESK_SECRET": strings.Repeat("s", 64)}
	document := string(policy.Holesalemart())
	first, second := file(t, document), file(t, strings.Replace(document, "target: 10d", "target: 9d", 1))
	if got := call(t, environment, "policy", "publish", first, "--reason", "to begin with"); got.failure != nil || !strings.HasPrefix(got.out, "policy version 1 takes effect at 20") {
		t.Fatalf("%v, %q %q", got.failure, got.out, got.err)
	}
	if got := call(t, environment, "policy", "publish", second, "--reason", "faster", "--effective", "2999-01-01T00:00:00Z"); got.failure != nil || got.out != "policy version 2 takes effect at 2999-01-01T00:00:00Z\n" {
		t.Fatalf("%v, %q", got.failure, got.out)
	}
	if got := call(t, environment, "policy", "diff", "1", "2"); got.out != "Resolution: 10 days → 9 days\n" {
		t.Errorf("%v, %q", got.failure, got.out)
	}
	list := call(t, environment, "policy", "list")
	if lines := strings.Split(list.out, "\n"); len(lines) != 4 || !strings.Contains(lines[1], "ahead") || !strings.Contains(lines[1], "faster") || !strings.Contains(lines[2], "in force") {
		t.Errorf("%v, %q", list.failure, list.out)
	}
	broken := file(t, "name: x\nnonsense: 1\n")
	for args, want := range map[string]string{
		broken + " --reason=x":                                  broken + ":2:1:",
		first + " --reason=x":                                   "effective_at", // it would be before version 2
		second + " --reason=x --effective=soon":                 "RFC 3339",
		second + " --reason=x --author=nobody":                  "no such person",
		second + " --reason=x --effective=2999-01-01T00:00:00Z": "version 2 has the same content",
	} {
		got := call(t, environment, append([]string{"policy", "publish"}, strings.Fields(args)...)...)
		if got.failure == nil {
			t.Errorf("%s is taken: %s", args, got.out)
		} else if said := got.failure.Error() + got.err; !strings.Contains(said, want) {
			t.Errorf("%s: %s", args, said)
		}
	}
}
