package desk_test

import (
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// Customers see the reason beside the version, so it must not contain characters that reorder the surrounding text.
func TestPublicationCheck_refusesUnreadableReasons(t *testing.T) {
	for reason, fits := range map[string]bool{
		"Three days were meant.": true, "Two lines,\r\nand\ta tab.": true, "ثلاثة أيام": true, strings.Repeat("ä", desk.MaxReason): true,
		" \n": false, strings.Repeat("ä", desk.MaxReason+1): false, "a\x00b": false, "a\u202eb": false, "a\u2066b": false, "a\x1b[2Jb": false, "a\xffb": false,
	} {
		err := desk.Publication{Reason: reason}.Check()
		if fits != (err == nil) || !fits && fault.KindOf(err) != fault.Invalid {
			t.Errorf("%.20q gives %v", reason, err)
		}
	}
}
