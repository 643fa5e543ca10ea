package report

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// MailStatus counts the mails that are owed, and those that were lost since an instant.
type MailStatus struct {
	Waiting int       // owed mails about tickets
	Oldest  time.Time // of Waiting: when the oldest became owed; zero: none
	PutOff  int       // of Waiting: deferred by a mail server
	Bounced int       // bounced mails about tickets

	AccountsWaiting int // owed mails about accounts, such as sign-in links
	AccountsLost    int // mails about accounts that were given up

	AnnouncementsWaiting int // owed mails about emergencies
	AnnouncementsBounced int // bounced mails about emergencies
}

// Listed returns the number of owed mails in the supervisors' list. It shows none about accounts, since those contain
// secrets.
func (m MailStatus) Listed() int { return m.Waiting + m.AnnouncementsWaiting }

// ListedBounced returns the number of bounced mails in the supervisors' list.
func (m MailStatus) ListedBounced() int { return m.Bounced + m.AnnouncementsBounced }

// MaxMails is the maximum number of owed mails, and of bounced ones, in the supervisors' list.
const MaxMails = 200

// Mail is a mail in the supervisors' list.
type Mail struct {
	Number    ticket.Number
	Subject   string             // the ticket's
	Emergency ticket.EmergencyID // of an announcement, which has no ticket; otherwise empty
	Kind      ticket.MailKind    // of an announcement: the announcement kind
	To        desk.Ref
	Address   string
	Owed      time.Time
	Deferred  time.Time // when a mail server first deferred it; zero: never
	Settled   time.Time // when it was given up; zero: still owed
	Reason    string    // of a bounce: the mail server's text
}
