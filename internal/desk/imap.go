package desk

import "time"

// MailboxPosition is the last mail of an IMAP mailbox that is stored. UIDs ascend as long as the mailbox has the same validity.
type MailboxPosition struct {
	Validity uint32 // 0: the mailbox was never opened
	UID      uint32
}

// SkippedMail is a mail that was left in its mailbox.
type SkippedMail struct {
	Mailbox string // its name
	Size    int64  // bytes; 0: unknown
	Sender  string // address; may be empty
	Subject string
	Reason  string // for staff
	At      time.Time
}

// MailboxStale is after how long without a successful check a mailbox counts as not being read.
const MailboxStale = 15 * time.Minute

// MailboxStatus is the status of a mailbox that is read by IMAP.
type MailboxStatus struct {
	Name    string
	ReadAt  time.Time // last time that it had no further mail; zero: never
	Failing time.Time // since when it can't be read; zero: it can
	Error   string    // why
}

// Unread reports whether a mailbox is not being read: it fails, or nothing has checked it for long.
func (m MailboxStatus) Unread(now time.Time) bool {
	return !m.Failing.IsZero() || !m.ReadAt.IsZero() && now.Sub(m.ReadAt) > MailboxStale
}
