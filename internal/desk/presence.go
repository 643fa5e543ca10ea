package desk

import "time"

// PresenceLasts is how long somebody counts as present after they were last heard of. A page that is open should
// speak up three times in it.
const PresenceLasts = 45 * time.Second

// Presence is somebody who has a ticket open.
type Presence struct {
	Person  Ref
	Writing bool
	Since   time.Time // of looking, without a gap
	Seen    time.Time
}
