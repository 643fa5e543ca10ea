package page_test

import (
	"bufio"
	"net/http"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/fault"
)

func TestStream_outlivesTheRequestsLimitAndEndsWithTheServer(t *testing.T) {
	s := open(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.server.URL+"/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := s.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	lines := bufio.NewScanner(response.Body)
	var seen []string
	for lines.Scan() {
		seen = append(seen, lines.Text())
		if lines.Text() == "data: lines" {
			close(s.stop)
		}
	}
	if got := strings.Join(seen, "|"); got != "retry: 1000||event: changed|data: two|data: lines|" {
		t.Errorf("the stream was %q", got)
	}
}

// follow opens a stream and returns its lines, after the first event.
func (s *site) follow(path string) (response *http.Response, lines *bufio.Scanner) {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.server.URL+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if response, err = s.client.Do(r); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = response.Body.Close() })
	return response, bufio.NewScanner(response.Body)
}

func until(lines *bufio.Scanner, want string) bool {
	for lines.Scan() {
		if lines.Text() == want {
			return true
		}
	}
	return false
}

func TestStream_endsWithTheSessionThatOpenedIt(t *testing.T) {
	for name, c := range map[string]struct {
		open, path string
		end        func(*site)
	}{
		"all sessions of a person":     {"/as/agent", "/ticks", func(s *site) { s.epoch++ }},
		"signing out":                  {"/as/agent", "/ticks", func(s *site) { s.do(http.MethodPost, "/out", "") }},
		"signing in as another person": {"/as/agent", "/ticks", func(s *site) { s.as("customer") }},
		"all sessions behind a grant":  {"/grant/A", "/granted-ticks/A", func(s *site) { s.epoch++ }},
		"signing out, beside a grant":  {"/grant/A", "/granted-ticks/A", func(s *site) { s.do(http.MethodPost, "/out", "") }},
		"nothing of a grant elsewhere": {"/grant/A", "/granted-ticks/A", nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := open(t)
			s.engine.LookAtOnce()
			s.get(c.open)
			_, lines := s.follow(c.path)
			s.ticks <- "before"
			if !until(lines, "data: before") {
				t.Fatal("the stream does not begin")
			}
			s.mu.Lock()
			s.away = fault.New(fault.Unavailable, "the database is not responding")
			s.mu.Unlock()
			s.ticks <- "outage"
			if !until(lines, "data: outage") {
				t.Fatal("an outage ends the stream")
			}
			s.mu.Lock()
			s.away = nil
			s.mu.Unlock()
			if c.end != nil {
				c.end(s)
			}
			s.ticks <- "after"
			close(s.ticks)
			if got := until(lines, "data: after"); got != (c.end == nil) {
				t.Errorf("received later events: %v", got)
			}
		})
	}
}

func TestStream_isLimitedByPerson(t *testing.T) {
	s := open(t)
	s.as("agent")
	var all []*bufio.Scanner
	for i := range page.MostStreams {
		response, lines := s.follow("/ticks")
		if response.StatusCode != http.StatusOK || !until(lines, "retry: 1000") {
			t.Fatalf("stream %d: %d", i+1, response.StatusCode)
		}
		all = append(all, lines)
	}
	if a := s.get("/ticks"); a.StatusCode != http.StatusTooManyRequests {
		t.Errorf("one too many: %d", a.StatusCode)
	}
	agent := s.client
	s.client = s.browser()
	s.as("customer")
	if response, _ := s.follow("/ticks"); response.StatusCode != http.StatusOK {
		t.Errorf("another person's: %d", response.StatusCode)
	}
	close(s.ticks) // which ends them all
	for _, lines := range all {
		until(lines, "the end")
	}
	s.client = agent
	if response, _ := s.follow("/ticks"); response.StatusCode != http.StatusOK {
		t.Errorf("places that were given back: %d", response.StatusCode)
	}
}
