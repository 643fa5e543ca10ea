package mail

import (
	"fmt"
	"strings"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// MessageID is the Message-ID of a ticket's nth mail, such as <hm-7q2k9xm4td.3@example.com>. It is the same
// however often the mail is sent, so a mailbox can drop what it has. Number 1 is the root of the thread. In a database that
// was restored from a copy, n may be a number that was used before: the epoch, if it is not 0, tells the two apart.
func MessageID(number ticket.Number, n int, epoch int64, domain string) string {
	if epoch == 0 {
		return fmt.Sprintf("<%s.%d@%s>", strings.ToLower(string(number)), n, domain)
	}
	return fmt.Sprintf("<%s.%d.%d@%s>", strings.ToLower(string(number)), n, epoch, domain)
}

// AnnouncementID is the Message-ID of an announcement's mail, the same however often it is sent.
func AnnouncementID(id int64, domain string) string {
	return fmt.Sprintf("<announcement.%d@%s>", id, domain)
}

// AccountID is the Message-ID of an account's mail, the same however often it is sent.
func AccountID(id int64, domain string) string {
	return fmt.Sprintf("<account.%d@%s>", id, domain)
}

// thread returns the values of In-Reply-To and References, both empty for the root. Who never got the root, such as
// an agent, still has it as a reference: it holds the thread together.
func thread(l desk.MailData, domain string) (inReplyTo, references string) {
	if l.N <= 1 {
		return "", ""
	}
	root := MessageID(l.Number, 1, l.RootEpoch, domain)
	if l.Previous <= 1 {
		return root, root
	}
	previous := MessageID(l.Number, l.Previous, l.PreviousEpoch, domain)
	return previous, root + " " + previous
}
