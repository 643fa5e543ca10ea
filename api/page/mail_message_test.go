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
