package mail_test

import (
	"testing"

	"github.com/holesalemart/supportdesk/internal/link"
	"github.com/holesalemart/supportdesk/internal/mail"
)

// Answers refer to mails by what package mail made, and package link reads it.
func TestMessageID_isReadByPackageLink(t *testing.T) {
	for _, epoch := range []int64{0, 1796000000} {
		id := mail.MessageID(number, 3, epoch, "", "holesalemart.example")
		want := link.MessageID{Number: number, N: 3, Epoch: epoch, Domain: "holesalemart.example"}
		if got, ok := link.ParseMessageID(id); !ok || got != want {
			t.Errorf("%s is read as %+v, %v", id, got, ok)
		}
	}
	for _, id := range []string{mail.AccountID(7, "holesalemart.example"), mail.AnnouncementID(7, "holesalemart.example")} {
		if got, ok := link.ParseMessageID(id); ok {
			t.Errorf("%s is read as %+v", id, got)
		}
	}
}
