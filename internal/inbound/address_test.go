package inbound_test

import (
	"testing"

	"github.com/holesalemart/supportdesk/internal/inbound"
)

func TestAddresses_acceptTheDesksOwnAlsoWithAnExtension(t *testing.T) {
	t.Parallel()
	desk := inbound.Addresses{"support@example.com": "", "orders@example.com": "order"}
	for address, want := range map[string]bool{
		"support@example.com": true, "Support@EXAMPLE.com": true, "support+abc@example.com": true, "support+a+b@example.com": true,
		"orders@example.com": true, "other@example.com": false, "support@example.org": false, "support": false, "": false,
		"+support@example.com": false, "support@example.com@example.org": false,
	} {
		if got := desk.Accepts(address); got != want {
			t.Errorf("%q: %t", address, got)
		}
	}
	if category, _ := desk.Find("Orders+x@example.com"); category != "order" {
		t.Errorf("category %q", category)
	}
	if base, extension := inbound.SplitExtension("Support+A+b@example.com"); base != "support@example.com" || extension != "a+b" {
		t.Errorf("%q %q", base, extension)
	}
}
