package message

import (
	"encoding/base64"
	"regexp"
	"strconv"
	"strings"
)

// dataImage matches the address of an image that is within the HTML itself, as some programs write pasted screenshots.
var dataImage = regexp.MustCompile(`(?i)(<img\b[^>]*?\ssrc\s*=\s*["']?\s*)data:(image/[a-z0-9.+-]{1,60})(?:;[a-z0-9=._-]{1,60})*;base64,([a-z0-9+/=%\s]+)`)

// embedded passes on the images that are within HTML as files, and returns the HTML with references to these. What can't be decoded
// stays.
func (r *reader) embedded(page string) (string, error) {
	if !strings.Contains(strings.ToLower(page), "data:image/") { // the pattern is slow
		return page, nil
	}
	var out strings.Builder
	for len(r.Files) < maxFiles {
		at := dataImage.FindStringSubmatchIndex(page)
		if at == nil {
			break
		}
		start, media, data := page[:at[3]], strings.ToLower(page[at[4]:at[5]]), page[at[6]:at[7]]
		content, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(unescapePercent(data)), ""))
		if err != nil || len(content) == 0 {
			out.WriteString(page[:at[7]])
			page = page[at[7]:]
			continue
		}
		id := "file-" + strconv.Itoa(len(r.Files)) + ownID
		if err := r.file(part{media: media, id: id}, strings.NewReader(string(content))); err != nil {
			return "", err
		}
		out.WriteString(start + "cid:" + id)
		page = page[at[7]:]
	}
	out.WriteString(page)
	return out.String(), nil
}
