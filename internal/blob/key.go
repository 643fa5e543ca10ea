package blob

import (
	"crypto/rand"
	"encoding/hex"
	"regexp"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// wellFormed is the shape of every key: a folder, of which there are 256, and a name in it; 128 random bits together.
var wellFormed = regexp.MustCompile(`^[0-9a-f]{2}/[0-9a-f]{30}$`)

// newKey returns a key that was never used.
func newKey() string {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	name := hex.EncodeToString(random[:])
	return name[:2] + "/" + name[2:]
}

// check keeps anything but a key of ours from becoming a path.
func check(key string) error {
	if !wellFormed.MatchString(key) {
		return fault.New(fault.Invalid, "%.80q is not the key of a file", key)
	}
	return nil
}
