package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

const (
	idempotencyKey = "Idempotency-Key"
	maxKey         = 200
)

// readIdempotencyKey returns the idempotency key of a POST request, or the zero key if it has none. The fingerprint
// covers method, path and raw body, so that a key that is used again for another request is detected.
func readIdempotencyKey(r *http.Request, body []byte) (desk.IdempotencyKey, error) {
	keys := r.Header.Values(idempotencyKey)
	if len(keys) == 0 {
		return desk.IdempotencyKey{}, nil
	}
	if len(keys) > 1 || !visible(keys[0], maxKey) {
		return desk.IdempotencyKey{}, fault.Field("header."+idempotencyKey, "must be sent once, with 1 to %d visible ASCII characters", maxKey)
	}
	return request.OnceOf(keys[0], []byte(r.Method), []byte(r.URL.Path), body), nil
}

// keyParameter returns the document's entry of the header that readIdempotencyKey reads.
func keyParameter() *huma.Param {
	shortest, longest := 1, maxKey
	return &huma.Param{
		Name: idempotencyKey, In: "header",
		Description: "Makes repeating the request safe: the same key with the same request returns the first response " +
			"again, with the header Idempotency-Replayed; with another request it is a 409.",
		Schema: &huma.Schema{Type: huma.TypeString, MinLength: &shortest, MaxLength: &longest, Pattern: "^[!-~]+$"},
	}
}

// replayed returns the value of the Idempotency-Replayed header. huma omits an empty header.
func replayed(again bool) string {
	if again {
		return "true"
	}
	return ""
}
