package api

import (
	"net/http"

	"github.com/klauspost/compress/gzhttp"
)

// compressible are the media types of what the website serves. An event stream is not among them, as it would be held
// back, and neither is JSON: the API's answers hold secrets such as tokens, and are small.
var compressible = []string{"text/html", "text/css", "text/javascript", "text/plain", "text/csv", "image/svg+xml"}

const (
	minCompressed = 1400 // bytes; smaller responses fit into one packet anyway
	maxPadding    = 32   // bytes
)

// compress returns a handler that compresses the website's responses. A page contains private content besides text of the
// request's query, so an attacker who can make a browser request it and observe the length of responses could guess the
// content letter by letter (BREACH). Therefore responses to cross-site requests are not compressed, and others are padded
// by an amount that depends on their content, for browsers that don't send where a request comes from.
func compress(next http.Handler) (http.Handler, error) {
	wrap, err := gzhttp.NewWrapper(gzhttp.ContentTypes(compressible), gzhttp.MinSize(minCompressed),
		gzhttp.EnableZstd(false), gzhttp.RandomJitter(maxPadding, 0, false))
	if err != nil {
		return nil, err
	}
	compressed := wrap(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if isAPI(r.URL.Path) || fromAnotherSite(r) {
			next.ServeHTTP(w, r)
			return
		}
		compressed.ServeHTTP(w, r)
	}), nil
}

// fromAnotherSite reports whether another site's page made the browser send the request, a link to this one included.
func fromAnotherSite(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	return site == "cross-site" || site == "same-site"
}
