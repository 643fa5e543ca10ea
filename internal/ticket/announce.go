package ticket

import "time"

// AnnounceRequest asks to write down who is to be told of emergencies. Every open ticket was found to be right under the
// gate: what is announced has happened. When that takes too long, Unproven asks for the same while some tickets are not
// right yet: their requesters are written to once they are.
type AnnounceRequest struct {
	Proven   time.Time `json:"checked_at"` // up to this instant
	Revision int64     `json:"revision"`   // of the gate; what was changed by a later one is announced when that is proven
	Unproven bool      `json:"partial,omitempty"`
}

// AnnounceResult tells what was written down, and how many mails of announcements are owed by now. Asked again, nothing
// is written, and those that are owed are still told: the first answer may have been lost.
type AnnounceResult struct {
	Announcements int `json:"announcements,omitempty"`
	Left          int `json:"unsent,omitempty"`
	Held          int `json:"held,omitempty"` // mails that wait until a ticket is right
}

// AnnouncementsRequest asks to send some of the mails that announcements owe.
type AnnouncementsRequest struct {
	Most int `json:"limit"`
}

// AnnouncementsResult tells how far it came.
type AnnouncementsResult struct {
	Sent    int       `json:"sent,omitempty"`
	Bounced int       `json:"bounced,omitempty"`
	Left    int       `json:"unsent,omitempty"`
	Next    time.Time `json:"retry_at,omitzero"` // when the first of those left may be sent; zero: now
}
