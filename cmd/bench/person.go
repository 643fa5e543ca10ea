package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"
)

// person is a client of the API.
type person struct {
	base, token, handle, address string
}

var clients = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 2000}, Timeout: time.Minute}

type fields map[string]any

// call sends a request to the API and reads its answer into result. A status other than 200 and 201 is an error, also 202:
// what was not decided within two seconds is not what was asked for.
func (p *person) call(ctx context.Context, method, path string, body fields, result any) error {
	var text io.Reader
	if body != nil {
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		text = bytes.NewReader(encoded)
	}
	request, err := http.NewRequestWithContext(ctx, method, p.base+"/api/v1"+path, text)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+p.token)
	request.Header.Set("Content-Type", "application/json")
	response, err := clients.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	switch response.StatusCode {
	case http.StatusOK, http.StatusCreated:
		return json.Unmarshal(got, result)
	case http.StatusAccepted:
		return errUndecided
	default:
		return fmt.Errorf("%s %s: %d %s", method, path, response.StatusCode, got)
	}
}

type undecidedError struct{}

func (undecidedError) Error() string {
	return "the command was accepted and not decided within two seconds"
}

var errUndecided error = undecidedError{}

// submit submits a ticket and returns its number.
func (p *person) submit(ctx context.Context) (string, error) {
	var view struct{ Number string }
	err := p.call(ctx, http.MethodPost, "/tickets", fields{
		"subject": "My parcel is late", "order": "4711",
		"body": "Hello,\n\nmy parcel was due last week and has not arrived. The tracking page has shown the same place since Monday.\n\nKind regards",
	}, &view)
	return view.Number, err
}

// command sends a command and waits for its outcome.
func (p *person) command(ctx context.Context, number, path string, body fields) error {
	method := http.MethodPost
	if path == "" {
		method = http.MethodPatch
	} else {
		path = "/" + path
	}
	var view struct{ Status string }
	return p.call(ctx, method, "/tickets/"+number+path, body, &view)
}

func discardLog() *slog.Logger { return slog.New(slog.DiscardHandler) }
