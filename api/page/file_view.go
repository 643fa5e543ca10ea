package page

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/holesalemart/supportdesk/internal/desk"
)

// FileList is the files of a message, as pages show them.
type FileList struct {
	Layout
	Files  []desk.File
	Delete bool // the reader may delete them
	Bare   bool // without previews, as the images are shown elsewhere
}

// FileList returns the view of a message's files.
func (l Layout) FileList(files []desk.File) FileList {
	return FileList{Layout: l, Files: files, Delete: l.Person.Role.Staff()}
}

// Address returns the address of a file.
func (FileList) Address(f desk.File) string { return FileAddress(f) }

// Preview returns the address of a file's preview.
func (FileList) Preview(f desk.File) string { return PreviewAddress(f) }

// Size returns a size in words.
func (FileList) Size(f desk.File) string { return Size(f.Size) }

// Kind returns what a file is, in a word or two.
func (FileList) Kind(f desk.File) string { return Kind(f.Type) }

// Described returns the text for readers who don't see an image.
func (FileList) Described(f desk.File) string {
	if f.Alt != "" {
		return f.Alt
	}
	return f.Name
}

// FileAddress returns the address of a file, which ends with its name so that a browser saves it under that.
func FileAddress(f desk.File) string {
	name := f.Name
	if name == "preview" || name == "." || name == ".." { // addresses that mean something else
		name = "file"
	}
	return "/files/" + string(f.ID) + "/" + url.PathEscape(name)
}

// PreviewAddress returns the address of a file's preview.
func PreviewAddress(f desk.File) string { return "/files/" + string(f.ID) + "/preview" }

// Size formats a number of bytes, such as 1.4 MiB.
func Size(bytes int64) string {
	switch {
	case bytes < 1024:
		return strconv.FormatInt(bytes, 10) + " bytes"
	case bytes < 1<<20:
		return strconv.FormatFloat(float64(bytes)/1024, 'f', 0, 64) + " KiB"
	default:
		return strconv.FormatFloat(float64(bytes)/(1<<20), 'f', 1, 64) + " MiB"
	}
}

// kinds describes media types; the longest beginning that fits counts.
var kinds = []struct{ media, words string }{
	{"image/", "image"}, {"video/", "video"}, {"audio/", "audio"}, {"application/pdf", "PDF"}, {"message/", "email"},
	{"text/calendar", "calendar"}, {"text/csv", "table"}, {"text/", "text"}, {"application/zip", "archive"}, {"application/gzip", "archive"},
	{"application/vnd.openxmlformats-officedocument.wordprocessingml", "document"}, {"application/msword", "document"},
	{"application/vnd.oasis.opendocument.text", "document"}, {"application/vnd.openxmlformats-officedocument.spreadsheetml", "spreadsheet"},
	{"application/vnd.ms-excel", "spreadsheet"}, {"application/vnd.oasis.opendocument.spreadsheet", "spreadsheet"},
}

// Kind returns the kind of file that a media type means.
func Kind(media string) string {
	for _, k := range kinds {
		if strings.HasPrefix(media, k.media) {
			return k.words
		}
	}
	return "file"
}

// AttachField is the field of a form with which files are chosen.
type AttachField struct {
	ID       string // of the field's element
	Upload   string // address to which a script uploads
	Attached []Attached
	Error    string
	Limits   desk.FileLimits
}

// AttachField returns the field for files of a page's only form with one, with those of the form that was sent.
func (v *Visit) AttachField(upload string, limits desk.FileLimits) AttachField {
	return AttachField{ID: "attach", Upload: upload, Attached: v.Attached(), Limits: limits}
}

// MiB returns the limit of a file's size.
func (f AttachField) MiB() int64 { return f.Limits.Size >> 20 }

// TotalMiB returns the limit of a message's files together.
func (f AttachField) TotalMiB() int64 { return f.Limits.Total >> 20 }
