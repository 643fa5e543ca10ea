package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/policy"
)

func TestPolicyDiff_tellsInWordsWhatChanged(t *testing.T) {
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
	if want := "First response: 72 hours of opening time → 3 business days\n"; got.failure != nil || got.out != want {
		t.Errorf("%v, %q, want %q", got.failure, got.out, want)
	}
	if got := call(t, nil, "policy", "diff", was, was); got.out != "They say the same.\n" {
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
