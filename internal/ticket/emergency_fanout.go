package ticket

import (
	"time"
)

// FanoutRequest asks to have open tickets told of an edge for a while.
type FanoutRequest struct {
	Edge  Edge   `json:"edge"`
	Gate  int64  `json:"gate"`            // revision
	After Number `json:"after,omitempty"` // go on behind this one

	Total int       `json:"total"`          // tickets that are to be told in all
	Told  int       `json:"told,omitempty"` // before
	Began time.Time `json:"began"`
}

// FanoutResult is how far that came.
type FanoutResult struct {
	After Number `json:"after,omitempty"` // the last one told
	Told  int    `json:"told"`            // in this while
	Over  bool   `json:"over,omitempty"`  // nobody is left behind After
}

// Proof is what PostgreSQL says of an edge: whether every open ticket is as the gate wants it.
type Proof struct {
	Open   int  `json:"open"`             // tickets
	Behind int  `json:"behind"`           // of them, not stepped since the edge
	Wrong  int  `json:"wrong,omitempty"`  // of them, stepped since and paused though the gate is open, or the other way: a defect
	Passed bool `json:"passed,omitempty"` // a later edge is reached: this one is no longer what counts

	Late []Number `json:"late,omitempty"` // the first of those behind or wrong, by number; at most MostNamed
}

// MostNamed bounds the tickets that are named one by one.
const MostNamed = 20

// FanoutPatience is how long a fan-out may take before those whose tickets are right are told, and the others named.
const FanoutPatience = 2 * time.Minute

// Left is how many tickets are not as the gate wants them.
func (p Proof) Left() int { return p.Behind + p.Wrong }

// AnnounceRequest asks to write down who is to be told of emergencies. Every open ticket was found to be right under the
// gate: what is announced has happened. When that takes too long, Unproven asks for the same while some tickets are not
// right yet: their requesters are written to once they are.
type AnnounceRequest struct {
	Proven   time.Time `json:"proven"`   // up to this instant
	Revision int64     `json:"revision"` // of the gate; what was changed by a later one is announced when that is proven
	Unproven bool      `json:"unproven,omitempty"`
}

// AnnounceResult tells what was written down, and how many mails of announcements are owed by now. Asked again, nothing
// is written, and those that are owed are still told: the first answer may have been lost.
type AnnounceResult struct {
	Announcements int `json:"announcements,omitempty"`
	Left          int `json:"left,omitempty"`
	Held          int `json:"held,omitempty"` // mails that wait until a ticket is right
}

// AnnouncementsRequest asks to send some of the mails that announcements owe.
type AnnouncementsRequest struct {
	Most int `json:"most"`
}

// AnnouncementsResult tells how far it came.
type AnnouncementsResult struct {
	Sent    int       `json:"sent,omitempty"`
	Bounced int       `json:"bounced,omitempty"`
	Left    int       `json:"left,omitempty"`
	Next    time.Time `json:"next,omitzero"` // when the first of those left may be sent; zero: now
}
