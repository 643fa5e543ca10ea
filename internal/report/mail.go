package report

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// MailStatus is how many mails wait and how many were lost.
type MailStatus struct {
	Waiting int       // mails of tickets that are neither sent nor given up
	Oldest  time.Time // when the oldest of them was owed; zero without one
	PutOff  int       // of them: a mail server has put them off
	Bounced int       // mails of tickets that could not be delivered, since an instant

	AccountsWaiting int // mails of accounts, such as sign-in links, that are neither sent nor given up
	AccountsLost    int // and those that were given up, since the same instant

	AnnouncementsWaiting int // mails about emergencies that are owed still
	AnnouncementsBounced int // and those that could not be delivered, since the same instant
}

// Listed is how many mails wait that the supervisors' list shows, one by one: those of accounts stand for secrets.
func (m MailStatus) Listed() int { return m.Waiting + m.AnnouncementsWaiting }

// ListedBounced is how many bounced, likewise.
func (m MailStatus) ListedBounced() int { return m.Bounced + m.AnnouncementsBounced }

// MaxMails is how many mails that wait, and how many that bounced, the supervisors' list shows.
const MaxMails = 200

// Mail is a mail on the supervisors' list.
type Mail struct {
	Number    ticket.Number
	Subject   string             // the ticket's
	Emergency ticket.EmergencyID // that it announces, and is of no ticket; else empty
	Kind      ticket.MailKind    // of an announcement: what it tells
	To        desk.Ref
	Address   string
	Owed      time.Time
	Deferred  time.Time // when a mail server put it off first; zero: never
	Settled   time.Time // when it was given up; zero while it waits
	Reason    string    // of a bounce, in a mail server's own words
}
