package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"
)

// A binder registers a route's handler with huma.
type binder func(*server, huma.API, huma.Operation)

// on returns a binder of handle. An error of handle becomes a problem response.
func on[I, O any](handle func(*server, context.Context, *I) (*O, error)) binder {
	return func(s *server, api huma.API, op huma.Operation) {
		huma.Register(api, op, func(ctx context.Context, in *I) (*O, error) {
			out, err := handle(s, ctx, in)
			if err != nil {
				return nil, problem(ctx, err)
			}
			return out, nil
		})
	}
}

// operation returns huma's description of a route with the middleware that authorizes and checks its requests.
func (s *server) operation(api huma.API, r route) (huma.Operation, error) {
	if r.access.Who == "" {
		return huma.Operation{}, fmt.Errorf("%s %s has no rule for who may ask", r.method, r.path)
	}
	op := huma.Operation{
		OperationID: r.id, Method: r.method, Path: r.path, Summary: r.summary, Description: r.access.Who,
		Middlewares: huma.Middlewares{s.authorize(r.access), s.checkRequest},
		Responses:   map[string]*huma.Response{"default": problemResponse(api)},
		// checkRequest has read the body already. By default huma sets a read deadline of five seconds, after which
		// net/http cancels the context of a handler that is still running.
		BodyReadTimeout: -1,
	}
	switch {
	case r.access.Allows != nil:
		op.Security = []map[string][]string{{bearer: {}}, {"session": {}}}
	default:
		op.Middlewares = append(huma.Middlewares{s.throttle}, op.Middlewares...)
	}
	if r.method == http.MethodPost {
		op.Parameters = append(op.Parameters, keyParameter())
	}
	switch r.answer {
	case created:
		op.DefaultStatus = http.StatusCreated
	case decided:
		op.Responses["200"] = response(api, "The command was granted; the ticket's new state", ticketView{})
		op.Responses["202"] = response(api, "The command was accepted, and is not decided yet", acceptedView{})
	case result:
	default:
		return huma.Operation{}, fmt.Errorf("%s %s does not say how it answers", r.method, r.path)
	}
	return op, nil
}

func response(api huma.API, description string, body any) *huma.Response {
	schema := api.OpenAPI().Components.Schemas.Schema(reflect.TypeOf(body), true, "")
	return &huma.Response{
		Description: description,
		Content:     map[string]*huma.MediaType{mediaJSON: {Schema: schema}},
	}
}

func problemResponse(api huma.API) *huma.Response {
	schema := api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "")
	return &huma.Response{
		Description: "A problem: what is wrong, and with which fields",
		Content:     map[string]*huma.MediaType{mediaProblem: {Schema: schema}},
	}
}

// render returns the OpenAPI document as JSON, without huma's own error model, which no operation returns.
func render(document *huma.OpenAPI) ([]byte, error) {
	delete(document.Components.Schemas.Map(), "ErrorModel")
	delete(document.Components.Schemas.Map(), "ErrorDetail")
	body, err := json.Marshal(document)
	if err != nil {
		return nil, fmt.Errorf("render the OpenAPI document: %w", err)
	}
	return body, nil
}

func (s *server) serveDocument(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("Cache-Control", "public, max-age=300")
	h.Set("Content-Type", mediaJSON)
	h.Set("Content-Length", strconv.Itoa(len(s.document)))
	_, _ = c.Writer.Write(s.document) // fails only if the client has disconnected
}
