package ticket

import "time"

// FanoutRequest asks to notify the workflows of open tickets of a transition, for as long as one activity may run.
type FanoutRequest struct {
	Transition       Transition `json:"transition"`
	ScheduleRevision int64      `json:"schedule"`        // revision of the emergency schedule
	After            Number     `json:"after,omitempty"` // continue after this ticket

	Total    int       `json:"total"`              // number of tickets to notify in all
	Notified int       `json:"notified,omitempty"` // number of tickets notified so far
	Began    time.Time `json:"began"`
}

// FanoutResult is the progress of one fan-out activity.
type FanoutResult struct {
	After    Number `json:"after,omitempty"` // the last ticket notified
	Notified int    `json:"notified"`        // number of tickets notified by this activity
	Done     bool   `json:"done,omitempty"`  // no ticket is left after After
}

// FanoutCheck counts, in PostgreSQL, the open tickets that do not agree with the emergency schedule after a transition.
type FanoutCheck struct {
	Open   int  `json:"open"`                 // open tickets
	Behind int  `json:"behind"`               // those without a step since the transition
	Wrong  int  `json:"wrong,omitempty"`      // those with one that are paused when they should run or the reverse: a defect
	Passed bool `json:"superseded,omitempty"` // a later transition has been reached and supersedes this one

	Late []Number `json:"late,omitempty"` // the first of Behind and Wrong, by number; at most MaxLate
}

// MaxLate is the maximum number of tickets in FanoutCheck.Late.
const MaxLate = 20

// FanoutTimeout is how long a fan-out may take before requesters whose tickets agree with the schedule are mailed and
// the other tickets are listed.
const FanoutTimeout = 2 * time.Minute

// Left returns how many tickets do not agree with the schedule.
func (p FanoutCheck) Left() int { return p.Behind + p.Wrong }

// AnnounceRequest asks to record which mails announce emergencies to requesters. Usually every open ticket agrees with
// the schedule by then, so what is announced has happened. If that takes too long, Unproven asks for the same while some
// tickets do not agree yet; mails to their requesters are held until they do.
type AnnounceRequest struct {
	Proven   time.Time `json:"checked_at"` // tickets agree with the schedule up to here
	Revision int64     `json:"revision"`   // of the schedule; later changes are announced later
	Unproven bool      `json:"partial,omitempty"`
}

// AnnounceResult counts the announcements recorded and the pending mails. A repeated request records nothing but still
// returns the pending mails, since the first result may have been lost.
type AnnounceResult struct {
	Announcements int `json:"announcements,omitempty"`
	Left          int `json:"unsent,omitempty"`
	Held          int `json:"held,omitempty"` // mails held until their ticket agrees with the schedule
}

// SendAnnouncementsRequest asks to send at most Most of the pending announcement mails.
type SendAnnouncementsRequest struct {
	Most int `json:"limit"`
}

// SendAnnouncementsResult is the progress of sending announcement mails.
type SendAnnouncementsResult struct {
	Sent    int       `json:"sent,omitempty"`
	Bounced int       `json:"bounced,omitempty"`
	Left    int       `json:"unsent,omitempty"`
	Next    time.Time `json:"retry_at,omitzero"` // when the first of those left is to be sent; zero: now
}
