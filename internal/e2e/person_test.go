package e2e_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"
)

// person is someone with a token.
type person struct {
	stack *stack
	token string
}

// answer is what the API said.
type answer struct {
	status int
	body   []byte
}

func (a answer) into(v any) error { return json.Unmarshal(a.body, v) }

// number is that of the ticket that the answer shows.
func (a answer) number(t testing.TB) string {
	t.Helper()
	var v ticketView
	if err := a.into(&v); err != nil || v.Number == "" {
		t.Fatalf("no ticket in %s: %v", a.body, err)
	}
	return v.Number
}

// ticketView is as much of the API's ticket as the scenarios look at.
type ticketView struct {
	Number   string `json:"number"`
	Status   string `json:"status"`
	Cause    string `json:"cause"`
	Priority string `json:"priority"`
	Pending  bool   `json:"pending"`
	Policy   int64  `json:"policy"`
	Assignee *struct {
		Handle string `json:"handle"`
	} `json:"assignee"`
	Clocks map[string]struct {
		Due        time.Time `json:"due"`
		MetAt      time.Time `json:"met_at"`
		BreachedAt time.Time `json:"breached_at"`
		PausedFor  []string  `json:"paused_for"`
	} `json:"clocks"`
}

type entry struct {
	N              int       `json:"n"`
	Kind           string    `json:"kind"`
	At             time.Time `json:"at"`
	Recorded       time.Time `json:"recorded_at"`
	Body           string    `json:"body"`
	Promise        string    `json:"promise"`
	EscalationStep int       `json:"escalation_step"`
	Code           string    `json:"code"`
	Verb           string    `json:"verb"`
	Mail           int       `json:"mail"`
	Since          time.Time `json:"since"`
}

var web = &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// try asks once. An error means that there was no answer, so no one knows whether the request was taken.
func (c person) try(method, path, key string, body any) (answer, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return answer{}, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	media := "application/json"
	if method == http.MethodGet {
		media = ""
	}
	return c.send(ctx, c.stack.base, method, path, key, media, text)
}

// send sends a request to an API once.
func (c person) send(ctx context.Context, base, method, path, key, media string, body []byte) (answer, error) {
	r, err := http.NewRequestWithContext(ctx, method, base+"/api/v1"+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	response, err := web.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	read, err := io.ReadAll(response.Body)
	return answer{status: response.StatusCode, body: read}, err
}

// must fails the test unless the answer has the wanted status.
func (c person) must(want int, method, path string, body any) answer {
	c.stack.t.Helper()
	got := c.askPatiently(method, path, body)
	if got.status != want {
		c.stack.t.Fatalf("%s %s: %d instead of %d: %s", method, path, got.status, want, got.body)
	}
	return got
}

// askPatiently asks until there is an answer that is no 503, as any client of a desk that restarts does.
func (c person) askPatiently(method, path string, body any) (got answer) {
	c.stack.t.Helper()
	eventually(c.stack.t, method+" "+path, func() (bool, string) {
		var err error
		got, err = c.try(method, path, "", body)
		return err == nil && got.status != http.StatusServiceUnavailable, fmt.Sprint(got.status, err)
	})
	return got
}

type words map[string]any

// submit submits a ticket and returns its number.
func (c person) submit(subject, body string) string {
	c.stack.t.Helper()
	return c.must(http.StatusCreated, http.MethodPost, "/tickets", words{"subject": subject, "body": body}).number(c.stack.t)
}

// do has a command carried out. On a busy machine its outcome may take longer than the API waits for it: the same request
// once more then asks for that.
func (c person) do(number, noun string, body words) {
	c.stack.t.Helper()
	if body == nil {
		body = words{}
	}
	path, key := "/tickets/"+number+"/"+noun, rand.Text()
	var got answer
	eventually(c.stack.t, "POST "+path, func() (bool, string) {
		var err error
		got, err = c.try(http.MethodPost, path, key, body)
		decided := got.status != http.StatusServiceUnavailable && got.status != http.StatusAccepted
		return err == nil && decided, fmt.Sprint(got.status, err)
	})
	if got.status != http.StatusOK {
		c.stack.t.Fatalf("POST %s: %d: %s", path, got.status, got.body)
	}
}

func (c person) ticket(number string) ticketView {
	c.stack.t.Helper()
	var v ticketView
	if err := c.must(http.StatusOK, http.MethodGet, "/tickets/"+number, nil).into(&v); err != nil {
		c.stack.t.Fatal(err)
	}
	return v
}

func (c person) timeline(number string) []entry {
	c.stack.t.Helper()
	var v struct {
		Entries []entry `json:"entries"`
	}
	if err := c.must(http.StatusOK, http.MethodGet, "/tickets/"+number+"/timeline", nil).into(&v); err != nil {
		c.stack.t.Fatal(err)
	}
	return v.Entries
}

// kinds lists what happened, in order.
func kinds(entries []entry) []string {
	var all []string
	for _, e := range entries {
		all = append(all, e.Kind)
	}
	return all
}

// awaitStatus waits until a ticket has a status and nothing asked of it is undecided.
func (c person) awaitStatus(number, status string) ticketView {
	c.stack.t.Helper()
	var v ticketView
	eventually(c.stack.t, number+" becomes "+status, func() (bool, string) {
		v = c.ticket(number)
		return v.Status == status && !v.Pending, fmt.Sprintf("%+v", v)
	})
	return v
}
