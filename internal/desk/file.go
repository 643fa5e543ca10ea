package desk

import (
	"crypto/rand"
	"io"
	"regexp"
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// FileID identifies a file: F- and 130 random bits in Crockford's base 32, so that it can't be guessed.
type FileID string

var fileIDShape = regexp.MustCompile(`^F-[0-9A-HJKMNP-TV-Z]{26}$`)

const (
	fileCode       = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	fileCodeLength = 26
)

// NewFileID returns a random ID.
func NewFileID() FileID {
	var drawn [fileCodeLength]byte
	rand.Read(drawn[:]) // never fails since Go 1.24
	for i, b := range drawn {
		drawn[i] = fileCode[b%byte(len(fileCode))]
	}
	return FileID("F-" + string(drawn[:]))
}

// Valid reports whether the ID has the format of one.
func (id FileID) Valid() bool { return fileIDShape.MatchString(string(id)) }

// MaxAlt is the maximum length of the text that describes an image, in characters.
const MaxAlt = 500

// File is a file of a message, or one that was uploaded and not sent yet.
type File struct {
	ID            FileID
	Ticket        ticket.Number // empty: not sent yet
	Name          string
	Size          int64  // in bytes
	Type          string // media type, by content
	Width, Height int    // of the preview, in pixels; 0: there is none
	Alt           string // describes an image; may be empty
	Inline        bool   // shown within the text of the email it came with
	ContentID     string // in that email
	Deleted       *FileDeletion
}

// FileDeletion is the deletion of a file, of which only the name remains.
type FileDeletion struct {
	At time.Time
	By Ref
}

// Previewed reports whether the file has a preview image.
func (f File) Previewed() bool { return f.Width > 0 && f.Deleted == nil }

// StoredFile is a file with the keys of its blobs.
type StoredFile struct {
	File
	By      ticket.PersonID // who uploaded it
	SHA256  []byte
	Blob    string // empty: deleted
	Preview string // empty: none
}

// FileLimits limits the files of a message.
type FileLimits struct {
	Size  int64 // of each, in bytes
	Count int   // of a message
	Total int64 // of all files of a message, in bytes
}

// DefaultFileLimits are the limits unless others are configured.
var DefaultFileLimits = FileLimits{Size: 10 << 20, Count: 10, Total: 25 << 20}

// Upload is a file that is being uploaded.
type Upload struct {
	Name    string // as the client has it; cleaned here
	Type    string // as the client has it, which is believed only as to what content can't tell; may be empty
	Alt     string // describes an image; may be empty
	Content io.Reader

	ContentID string // in the email that it came with; empty: none
	Inline    bool   // shown within the text of that email
}

// FileContent is a file, or its preview, opened for reading. The caller closes it.
type FileContent struct {
	io.ReadCloser
	File File
	Size int64 // of what is read
}
