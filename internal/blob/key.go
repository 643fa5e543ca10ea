package blob

import (
	"crypto/rand"
	"encoding/hex"
	"regexp"
	"sync"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// wellFormed is the shape of every key: a folder, of which there are 256, and a name in it; the name is of 120 random bits.
var wellFormed = regexp.MustCompile(`^[0-9a-f]{2}/[0-9a-f]{30}$`)

// inARow is how many keys in a row share a folder.
const inARow = 1000

// keys are the keys that a process issues. Those in a row share a folder, so that what several writers flush at once is one
// place of the disk and not one for each: it is twice as fast.
type keys struct {
	mu     sync.Mutex
	folder string
	left   int // keys until another folder is chosen
}

// next returns a key that was never used.
func (k *keys) next() string {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	name := hex.EncodeToString(random[:])
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.left == 0 {
		k.folder, k.left = name[:2], inARow
	}
	k.left--
	return k.folder + "/" + name[2:]
}

// check keeps anything but a key of ours from becoming a path.
func check(key string) error {
	if !wellFormed.MatchString(key) {
		return fault.New(fault.Invalid, "%.80q is not the key of a file", key)
	}
	return nil
}
