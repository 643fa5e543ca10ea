package mail

import (
	"fmt"
	"strings"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// MessageID returns the Message-ID of a ticket's nth mail, such as <hm-7q2k9xm4td.3@example.com>. It is the same each
// time the mail is sent, so that mail servers can drop duplicates. Mail 1 is the root of the thread. After a database is
// restored from a backup, n may repeat; the epoch, unless it is 0, makes the Message-ID different.
func MessageID(number ticket.Number, n int, epoch int64, domain string) string {
	if epoch == 0 {
		return fmt.Sprintf("<%s.%d@%s>", strings.ToLower(string(number)), n, domain)
	}
	return fmt.Sprintf("<%s.%d.%d@%s>", strings.ToLower(string(number)), n, epoch, domain)
}

// AnnouncementID returns the Message-ID of an announcement, which is the same each time it is sent.
func AnnouncementID(id int64, domain string) string {
	return fmt.Sprintf("<announcement.%d@%s>", id, domain)
}

// AccountID returns the Message-ID of an account mail, which is the same each time it is sent.
func AccountID(id int64, domain string) string {
	return fmt.Sprintf("<account.%d@%s>", id, domain)
}

// thread returns the values of In-Reply-To and References, both empty for the root. The root is a reference even for
// recipients who never received it, such as agents, because it identifies the thread.
func thread(data desk.MailData, domain string) (inReplyTo, references string) {
	if data.N <= 1 {
		return "", ""
	}
	root := MessageID(data.Number, 1, data.RootEpoch, domain)
	if data.Previous <= 1 {
		return root, root
	}
	previous := MessageID(data.Number, data.Previous, data.PreviousEpoch, domain)
	return previous, root + " " + previous
}
