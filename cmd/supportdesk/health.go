package main

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// healthTimeout is longer than a readiness check may take.
const healthTimeout = 4 * time.Second

// healthCommand is the health check of a container, whose image contains no other program.
type healthCommand struct {
	URL *url.URL `arg:"" help:"URL to check, such as http://127.0.0.1:8080/readyz."`
}

// Run succeeds if the URL responds with 200.
func (c healthCommand) Run(p *program) error {
	ctx, cancel := context.WithTimeout(p.ctx, healthTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL.String(), nil)
	if err != nil {
		return fmt.Errorf("ask %s: %w", c.URL, err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("ask: %w", err)
	}
	if err := response.Body.Close(); err != nil {
		return fmt.Errorf("ask %s: %w", c.URL, err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s responds with %s", c.URL, response.Status)
	}
	_, err = fmt.Fprintln(p.stdout, response.Status)
	return err
}
