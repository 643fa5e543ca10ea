package scan

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// rspamd is a normal worker of rspamd, by its HTTP protocol.
type rspamd struct {
	base     string
	password string
	client   *http.Client
}

func newRspamd(u *url.URL) rspamd {
	password, _ := u.User.Password()
	return rspamd{
		base: strings.TrimPrefix(u.Scheme, "rspamd+") + "://" + u.Host, password: password,
		client: &http.Client{
			Transport:     &http.Transport{MaxIdleConnsPerHost: 4, IdleConnTimeout: 10 * time.Second},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

const (
	maxAnswer     = 1 << 20
	maxHeader     = 400
	maxRecipients = 50
)

func (c rspamd) scan(ctx context.Context, r io.Reader, meta Meta) (Verdict, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.base+"/checkv2", r)
	if err != nil {
		return Verdict{}, fmt.Errorf("ask rspamd: %w", err)
	}
	request.Header = headers(meta)
	answer, err := c.ask(request)
	if err != nil {
		return Verdict{}, err
	}
	return parseAnswer(answer)
}

func (c rspamd) ping(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/ping", nil)
	if err != nil {
		return fmt.Errorf("ask rspamd: %w", err)
	}
	_, err = c.ask(request)
	return err
}

// headers returns the headers that describe the delivery to rspamd, without what can't be a header's value.
func headers(meta Meta) http.Header {
	all := http.Header{}
	add := func(name, value string) {
		if printable(value, maxHeader) {
			all.Add(name, value)
		}
	}
	if meta.ClientIP.IsValid() {
		add("IP", meta.ClientIP.Unmap().String())
	}
	add("Helo", meta.Helo)
	add("From", meta.EnvelopeFrom)
	for _, recipient := range meta.Recipients[:min(len(meta.Recipients), maxRecipients)] {
		add("Rcpt", recipient)
	}
	return all
}

func (c rspamd) ask(request *http.Request) ([]byte, error) {
	if c.password != "" {
		request.Header.Set("Password", c.password)
	}
	response, err := c.client.Do(request)
	if err != nil {
		return nil, unavailable(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, unavailable(err)
	case response.StatusCode == http.StatusRequestEntityTooLarge:
		return nil, tooLarge()
	case response.StatusCode != http.StatusOK || len(answer) > maxAnswer:
		return nil, unavailable(fmt.Errorf("rspamd answers %s with %d bytes", response.Status, len(answer)))
	}
	return answer, nil
}

// answer is what rspamd answers to /checkv2.
type answer struct {
	Action   string   `json:"action"`
	Score    *float64 `json:"score"`
	Required float64  `json:"required_score"`
	Symbols  map[string]struct {
		Score float64 `json:"metric_score"`
	} `json:"symbols"`
}

var actions = map[string]Kind{
	"no action": Clean, "greylist": Clean, // the mail was accepted already
	"add header": Suspect, "rewrite subject": Suspect,
	"reject": Spam, "discard": Spam, "quarantine": Spam,
}

var errLater = errors.New("rspamd asks for a later try")

// parseAnswer parses an answer. A soft reject means that rspamd could not decide yet.
func parseAnswer(text []byte) (Verdict, error) {
	var a answer
	if err := json.Unmarshal(text, &a); err != nil {
		return Verdict{}, unavailable(fmt.Errorf("read rspamd's answer: %w", err))
	}
	if a.Action == "soft reject" {
		return Verdict{}, unavailable(errLater)
	}
	kind, ok := actions[a.Action]
	if !ok || a.Score == nil {
		return Verdict{}, unavailable(fmt.Errorf("rspamd answers without an action that is known: %.40q", a.Action))
	}
	return Verdict{Kind: kind, Name: a.rule(), Score: *a.Score, Limit: a.Required}, nil
}

// rule returns the name of the rule with the highest score, the first in the alphabet of several.
func (a answer) rule() string {
	best, score := "", math.Inf(-1)
	for name, s := range a.Symbols {
		if printable(name, maxName) && (s.Score > score || s.Score == score && name < best) {
			best, score = name, s.Score
		}
	}
	return best
}
