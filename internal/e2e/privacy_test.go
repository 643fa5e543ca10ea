package e2e_test

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

// Canaries stand for everything that people write and are called. None may be found in Temporal, in clear or in
// base 64.
func TestTemporal_holdsNothingThatPeopleWroteOrAreCalled(t *testing.T) {
	s := start(t, fast)
	canary := s.invite("customer", "canary-address@demo.example", "--name", "Canary-Name")
	number := canary.must(http.StatusCreated, http.MethodPost, "/tickets", words{
		"subject": "Canary-Subject", "body": "Canary-Body", "order": "Canary-Order",
	}).number(t)
	s.agent.do(number, "information-requests", words{"body": "Canary-Question"})
	canary.do(number, "replies", words{"body": "Canary-Answer"})
	s.agent.do(number, "notes", words{"body": "Canary-Note"})
	s.agent.do(number, "progress", words{"body": "Canary-Progress"})
	// What is refused was typed too.
	s.agent.must(http.StatusConflict, http.MethodPatch, "/tickets/"+number, words{"category": "Canary-Category"})
	canary.must(http.StatusConflict, http.MethodPost, "/tickets/"+number+"/confirmation", words{})
	s.agent.do(number, "replies", words{"body": "Canary-Reply"})
	s.agent.do(number, "resolution", words{"body": "Canary-Resolution"})
	s.mails.Reject(refuse("Canary-Bounce of canary-address@demo.example"))
	canary.do(number, "confirmation", nil)
	eventually(t, "the bounce is on record", func() (bool, string) {
		entries := s.agent.timeline(number)
		last := entries[len(entries)-1]
		return last.Kind == "mail-bounced", last.Kind
	})
	s.worker.stop()
	s.temporal.Stop()

	files, err := filepath.Glob(s.temporal.DB() + "*")
	if err != nil || len(files) == 0 {
		t.Fatalf("find Temporal's database: %v, %v", files, err)
	}
	found := false
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		found = found || bytes.Contains(text, []byte(number))
		for _, word := range []string{"Canary", "canary", "demo.example", "Demo agent"} {
			for _, form := range forms(word) {
				if at := bytes.Index(text, form); at >= 0 {
					t.Errorf("%s holds %q: …%q…", filepath.Base(file), word, text[max(0, at-100):min(len(text), at+100)])
				}
			}
		}
	}
	if !found {
		t.Error("Temporal's database does not even hold the ticket's number: this test looks in the wrong place")
	}
}

// forms are a word as it is and as it looks in base 64, at each of the three places where it can begin. The digits at
// either end that its neighbours share are left out.
func forms(word string) [][]byte {
	all := [][]byte{[]byte(word)}
	for pad := range 3 {
		encoded := base64.RawStdEncoding.EncodeToString(append(make([]byte, pad), word...))
		all = append(all, []byte(encoded[(pad*8+5)/6:(pad+len(word))*8/6]))
	}
	return all
}
