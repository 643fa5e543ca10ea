package app

import (
	"errors"
	"io"
	"strings"
)

func cleanName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r < 32 || r == '/' || r == '\\' {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(name, "_"))
	if name == "" {
		return "file"
	}
	return name[max(0, len(name)-200):]
}
func typeOf(head []byte, name string) string { return "application/octet-stream" }
func previewable(media string) bool          { return strings.HasPrefix(media, "image/") }
func makePreview(r io.Reader) (image []byte, width, height int, err error) {
	return nil, 0, 0, errors.New("none")
}
