package main

import (
	"slices"
	"testing"

	"github.com/holesalemart/supportdesk/internal/local"
)

func TestUp_inheritsTheFormatOfLogsAndNoServers(t *testing.T) {
	t.Setenv("SUPPORTDESK_LOG_FORMAT", "json")
	t.Setenv("SUPPORTDESK_SMTP_HOST", "smtp.invalid")
	environment := (&stack{}).environment(&local.Postgres{})
	if !slices.Contains(environment, "SUPPORTDESK_LOG_FORMAT=json") || slices.Contains(environment, "SUPPORTDESK_SMTP_HOST=smtp.invalid") {
		t.Errorf("the parts have %q", environment)
	}
}
