package blob

import "time"

// SetStallTimeout changes how long a store may take for one piece.
func (s *Store) SetStallTimeout(d time.Duration) { s.stall = d }
