package mail

import (
	"slices"
	"strconv"

	"github.com/holesalemart/supportdesk/internal/desk"
)

// file is a file of a message as a mail lists it.
type file struct {
	Name    string
	Size    string // empty: deleted
	URL     string // empty: it is attached, or only named
	With    bool   // it is attached
	Deleted bool
}

// maxFileName is how much of a file's name a mail shows, in characters.
const maxFileName = 200

func newFiles(files []desk.MailFile, baseURL string) (all []file, links bool) {
	for _, f := range files {
		shown := file{Name: oneLine(f.Name, maxFileName), With: f.Content != nil, Deleted: f.Deleted != nil}
		if !shown.Deleted {
			shown.Size = formatSize(f.Size)
		}
		if f.Token != "" {
			shown.URL, links = baseURL+"/f/"+f.Token, true
		}
		all = append(all, shown)
	}
	return all, links
}

// leftOut returns what is not in a message of the email that it was, a line each.
func leftOut(all []desk.LeftOut) []string {
	lines := make([]string, len(all))
	for i, l := range all {
		lines[i] = oneLine(l.String(), 0)
	}
	return lines
}

// attached returns the files that are attached to a mail.
func attached(files []desk.MailFile) []desk.MailFile {
	return slices.DeleteFunc(slices.Clone(files), func(f desk.MailFile) bool { return f.Content == nil })
}

// formatSize formats a number of bytes, such as 1.4 MiB.
func formatSize(bytes int64) string {
	switch {
	case bytes < 1<<10:
		return strconv.FormatInt(bytes, 10) + " bytes"
	case bytes < 1<<20:
		return strconv.FormatFloat(float64(bytes)/(1<<10), 'f', 0, 64) + " KiB"
	default:
		return strconv.FormatFloat(float64(bytes)/(1<<20), 'f', 1, 64) + " MiB"
	}
}
