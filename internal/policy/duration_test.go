package policy_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holesalemart/supportdesk/internal/policy"
)

func TestParseDuration(t *testing.T) {
	tests := []struct {
		text  string
		value time.Duration
		again string
	}{
		{"72h", 72 * time.Hour, "72h"},
		{"3d", 72 * time.Hour, "72h"},
		{"10d", 240 * time.Hour, "10d"},
		{"96h", 96 * time.Hour, "4d"},
		{"3d12h", 84 * time.Hour, "84h"},
		{"90m", 90 * time.Minute, "1h30m"},
		{"30s", 30 * time.Second, "30s"},
		{"1d2h3m4s", 26*time.Hour + 3*time.Minute + 4*time.Second, "26h3m4s"},
		{"0s", 0, "0s"},
		{"106751d", 106751 * 24 * time.Hour, "106751d"},
	}
	for _, tt := range tests {
		got, err := policy.ParseDuration(tt.text)
		if err != nil || got != tt.value {
			t.Errorf("ParseDuration(%q) = %s, %v; want %s", tt.text, got, err, tt.value)
		}
		if again := policy.FormatDuration(tt.value); again != tt.again {
			t.Errorf("FormatDuration(%s) = %q, want %q", tt.value, again, tt.again)
		}
	}
	if got := policy.FormatDuration(-90 * time.Minute); got != "-1h30m" {
		t.Errorf("negative: %q", got)
	}
	for _, text := range []string{"", "72", "h", "-1h", "1.5h", "1h ", " 1h", "1h1d", "1h1h", "1w", "72H", "1h30", "٣h", "106752d", "99999999999999999999s", "106751d24h"} {
		if got, err := policy.ParseDuration(text); err == nil {
			t.Errorf("ParseDuration(%q) = %s, want an error", text, got)
		}
	}
}

func TestFormatDuration_roundTrips(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := time.Duration(rapid.Int64Range(0, 9e9).Draw(t, "seconds")) * time.Second
		for _, text := range []string{
			policy.FormatDuration(want), policy.FormatBudget(policy.CountCalendar, want), policy.FormatBudget(policy.CountBusinessHours, want),
		} {
			if got, err := policy.ParseDuration(text); err != nil || got != want {
				t.Fatalf("%q is read as %s (%v), want %s", text, got, err, want)
			}
		}
	})
}
