package page_test

import (
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/inbound/quote"
)

func TestMailMessage_foldsWhatAnAnswerQuotesAndNotWhatIsForwarded(t *testing.T) {
	e := desk.Entry{Channel: desk.ChannelEmail, Body: "Please see below.\n\nFrom: Shipper <ship@parcels.example>\nSent: Monday\nTo: Carla\nSubject: Your parcel\n\nIt was delivered.\n"}
	for _, forward := range []bool{false, true} {
		e.Forward = forward
		if shown := string(page.MailView{}.MailMessage(e).Words); strings.Contains(shown, quote.ShowQuoted) == forward || !strings.Contains(shown, "It was delivered.") {
			t.Errorf("forwards %t: %s", forward, shown)
		}
	}
}

// Subjects from before they were checked may contain what reorders the text around them.
func TestShort_isALineThatLeavesItsNeighboursAlone(t *testing.T) {
	for line, want := range map[string]string{"No. \u202e4711": "No. 4711", "a\nb": "a b", "הזמנה\u200f 5": "הזמנה\u200f 5", "0123456789": "0123456…"} {
		if got := page.Short(8, line); got != want {
			t.Errorf("%+q is %+q, want %+q", line, got, want)
		}
	}
}
