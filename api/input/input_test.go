package input_test

import (
	"testing"

	"github.com/holesalemart/supportdesk/api/input"
)

// Emails' subjects are cleaned by the same rule, which refuses here what was typed or sent by a program.
func TestLine_refusesWhatReordersTextAndDropsStrayMarks(t *testing.T) {
	for typed, want := range map[string]string{
		"Order 4711": "Order 4711", " Order  4711 ": "Order 4711", "100\u200f-200": "100-200", "הזמנה 5\u200f (דחוף)": "הזמנה 5\u200f (דחוף)",
		"علی\u200cرضا": "علی\u200cرضا", "Order \u202e4711": "", "a\u2066b": "", "a\nb": "", "a\x00b": "", "\xff": "", "\u200b": "", "a\ufeffb": "",
	} {
		var f input.Fields
		if got := f.Line("subject", typed, 200); (f.Err() == nil) != (want != "") || want != "" && got != want {
			t.Errorf("Line(%+q) = %+q, %v; want %+q", typed, got, f.Err(), want)
		}
	}
}
