// Command webhook is a small receiver of Supportdesk's webhooks: it checks who calls, and prints what is told.
//
//	SECRET='…' go run ./examples/webhook 127.0.0.1:9000
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// freshness is how old a call may be: who records one can't play it again later.
const freshness = 5 * time.Minute

var errForged = errors.New("not signed with our secret")

// verify checks a call's signature over timestamp, a dot and the body, and its age.
func verify(secret string, h http.Header, body []byte, now time.Time) error {
	timestamp := h.Get("Supportdesk-Timestamp")
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(timestamp + "."))
	mac.Write(body)
	signed := false
	for part := range strings.SplitSeq(h.Get("Supportdesk-Signature"), ",") {
		given, err := hex.DecodeString(strings.TrimPrefix(strings.TrimSpace(part), "v1="))
		signed = signed || err == nil && hmac.Equal(given, mac.Sum(nil))
	}
	if !signed {
		return errForged
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil || now.Sub(time.Unix(seconds, 0)).Abs() > freshness {
		return errors.New("too old, or from the future")
	}
	return nil
}

func main() {
	if len(os.Args) != 2 || os.Getenv("SECRET") == "" {
		log.Fatal("usage: SECRET='…' webhook HOST:PORT")
	}
	handler := func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 64<<10))
		if err == nil {
			err = verify(os.Getenv("SECRET"), r.Header, body, time.Now())
		}
		if err != nil {
			log.Printf("refused: %v", err)
			http.Error(w, err.Error(), http.StatusUnauthorized)
			return
		}
		// A real receiver remembers Supportdesk-Event: the same one may come twice.
		fmt.Printf("%s %s\n", r.Header.Get("Supportdesk-Event"), body)
		w.WriteHeader(http.StatusNoContent)
	}
	server := &http.Server{Addr: os.Args[1], Handler: http.HandlerFunc(handler), ReadTimeout: 10 * time.Second}
	log.Fatal(server.ListenAndServe())
}
