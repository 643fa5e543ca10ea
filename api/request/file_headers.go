package request

import (
	"mime"
	"net/http"

	"github.com/holesalemart/supportdesk/internal/desk"
)

func setFileHeaders(h http.Header, f desk.File, preview bool) {
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Type", f.Type)
	if preview {
		h.Set("Content-Type", "image/jpeg")
		return
	}
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
}
