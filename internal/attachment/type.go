// Package attachment has the rules of files that people send: a name that is safe to show and to save, the type by the
// content, the headers under which a file is served, and the preview of an image. It knows nothing of where files are
// stored, whose they are, or HTTP.
package attachment

import (
	"mime"
	"path"
	"slices"
	"strings"

	"github.com/gabriel-vasile/mimetype"
)

// Type is a media type without parameters, such as "image/png": what a file is, by its content. It is not always what
// the file is served as; see Headers.
type Type string

// Types that the rules name.
const (
	Unknown Type = "application/octet-stream"
	Text    Type = "text/plain"
	PNG     Type = "image/png"
	JPEG    Type = "image/jpeg"
	GIF     Type = "image/gif"
	WebP    Type = "image/webp"
	BMP     Type = "image/bmp"
)

// HeadSize is how many bytes of a file Detect needs. It uses no more.
const HeadSize = 4096

// byName are the kinds of text that only their sender or their name distinguishes from other text. All of them are
// harmless, and served as text/plain.
var byName = map[string]Type{
	".csv": "text/csv", ".ics": "text/calendar", ".md": "text/markdown", ".markdown": "text/markdown", ".vcf": "text/vcard",
}

// Detect returns the type of a file by its first bytes. What it was declared as and its name are believed only as to
// which kind of plain text it is.
func Detect(head []byte, declared, name string) Type {
	found := withoutParameters(mimetype.Detect(head[:min(len(head), HeadSize)]).String())
	if found != Text {
		return found
	}
	kind := withoutParameters(declared)
	for _, known := range byName {
		if kind == known {
			return known
		}
	}
	if known, is := byName[strings.ToLower(path.Ext(CleanName(name)))]; is {
		return known
	}
	return Text
}

func withoutParameters(value string) Type {
	if len(value) > 255 {
		return Unknown
	}
	t, _, err := mime.ParseMediaType(value)
	if err != nil {
		return Unknown
	}
	return Type(t)
}

// HasPreview reports whether NewPreview can show files of the type.
func (t Type) HasPreview() bool { _, is := formats[t]; return is }

// own are the types that are served as what they are: no browser runs anything in them, or only in a viewer that is cut
// off from the page. Everything else is bytes to be saved.
var own = []Type{
	PNG, JPEG, GIF, WebP, BMP, "image/tiff", "image/heic", "image/heif", "image/avif",
	"application/pdf", "application/zip", "application/gzip", "application/x-7z-compressed", "application/x-tar",
	"application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint", "application/vnd.ms-outlook",
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
	"application/vnd.openxmlformats-officedocument.presentationml.presentation",
	"application/vnd.oasis.opendocument.text", "application/vnd.oasis.opendocument.spreadsheet",
	"application/vnd.oasis.opendocument.presentation",
	"audio/mpeg", "audio/ogg", "audio/wav", "audio/flac", "audio/mp4", "audio/x-m4a", "audio/amr",
	"video/mp4", "video/webm", "video/quicktime", "video/ogg", "video/x-msvideo",
}

// texts are the kinds of text that are served as plain text.
var texts = []Type{Text, "text/csv", "text/tab-separated-values", "text/calendar", "text/markdown", "text/vcard", "application/json"}

// served returns the Content-Type of a file.
func (t Type) served() string {
	switch {
	case slices.Contains(own, t):
		return string(t)
	case slices.Contains(texts, t):
		return string(Text)
	}
	return string(Unknown)
}
