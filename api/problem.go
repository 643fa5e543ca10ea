package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"
	"github.com/gin-gonic/gin"

	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/text"
)

// Problem is the body of every error response (problem details, RFC 9457). huma's ErrorModel lacks the fields that
// clients of this API depend on, and repeats invalid values.
type Problem struct {
	Type      string         `json:"type" example:"urn:supportdesk:problem:invalid" doc:"The kind of problem: a URI to compare, not to open."`
	Title     string         `json:"title" doc:"The kind of problem in words."`
	Status    int            `json:"status" doc:"The HTTP status code."`
	Detail    string         `json:"detail" doc:"What is wrong with this request, for people to read."`
	Code      string         `json:"code,omitempty" example:"ticket-closed" doc:"Why a command was refused, as a stable code."`
	RequestID string         `json:"request_id" doc:"Identifies the request in the server's log."`
	Unseen    []int          `json:"unseen,omitempty" doc:"With the code unseen-messages: the numbers of the timeline's entries that others wrote after the last one that you had seen."`
	Errors    []FieldProblem `json:"errors,omitempty" doc:"The invalid fields."`

	retryAfter string
	challenge  string
}

// FieldProblem is one field of the input and what is wrong with it.
type FieldProblem struct {
	Field   string `json:"field" example:"subject" doc:"A field of the body, or a name after query., path. or header."`
	Message string `json:"message" example:"is empty"`
}

const (
	mediaForm    = "multipart/form-data"
	mediaJSON    = "application/json"
	mediaProblem = "application/problem+json"
	typePrefix   = "urn:supportdesk:problem:"

	maxErrors    = 20
	maxFieldName = 64
)

// problemNames are the last parts of type URIs, by status: the kind of a fault, or a name for an error of HTTP.
var problemNames = map[int]string{
	http.StatusBadRequest:            "malformed",
	http.StatusUnauthorized:          fault.Unauthenticated.String(),
	http.StatusForbidden:             fault.Forbidden.String(),
	http.StatusNotFound:              fault.NotFound.String(),
	http.StatusMethodNotAllowed:      "method-not-allowed",
	http.StatusRequestTimeout:        "timeout",
	http.StatusConflict:              fault.Conflict.String(),
	http.StatusRequestEntityTooLarge: fault.TooLarge.String(),
	http.StatusUnsupportedMediaType:  "unsupported-media-type",
	http.StatusUnprocessableEntity:   fault.Invalid.String(),
	http.StatusTooManyRequests:       fault.Limited.String(),
	request.StatusGone:               "client-gone",
	http.StatusInternalServerError:   fault.Internal.String(),
	http.StatusServiceUnavailable:    fault.Unavailable.String(),
}

func newProblem(status int, detail string, errs ...FieldProblem) *Problem {
	name, known := problemNames[status]
	if !known {
		name = fault.Internal.String()
	}
	p := &Problem{Type: typePrefix + name, Title: http.StatusText(status), Status: status, Detail: detail, Errors: errs}
	switch status {
	case http.StatusServiceUnavailable:
		p.retryAfter = "5"
	case http.StatusTooManyRequests:
		p.retryAfter = "1"
	case http.StatusUnauthorized:
		p.challenge = challenge
	case request.StatusGone:
		p.Title = "Client Closed Request"
	}
	return p
}

// problemOf returns the problem for an error. It shows nothing of an error without a kind.
func problemOf(ctx context.Context, err error) *Problem {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	status, f := request.Safe(ctx, err)
	p := newProblem(status, f.Message)
	p.Code = f.Code
	if f.RetryAfter > 0 {
		p.retryAfter = request.Seconds(f.RetryAfter)
	}
	for _, d := range f.Details {
		p.add(d.Field, d.Message)
	}
	return p
}

func (p *Problem) add(field, message string) {
	if len(p.Errors) < maxErrors {
		p.Errors = append(p.Errors, FieldProblem{Field: text.Shorten(field, maxFieldName), Message: message})
	}
}

// Error returns the detail.
func (p *Problem) Error() string { return p.Detail }

// GetStatus returns the status for huma.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType returns the media type for huma.
func (p *Problem) ContentType(string) string { return mediaProblem }

// GetHeaders returns the headers that belong to the status, for huma.
func (p *Problem) GetHeaders() http.Header {
	h := http.Header{}
	if p.retryAfter != "" {
		h.Set("Retry-After", p.retryAfter)
	}
	if p.challenge != "" {
		h.Set("WWW-Authenticate", p.challenge)
	}
	return h
}

// problem returns the response to a request that failed with err, and records err for the access log.
func problem(ctx context.Context, err error) *Problem {
	v := request.Of(ctx)
	v.Failure = err
	p := problemOf(ctx, err)
	p.RequestID = v.ID
	return p
}

// fail responds with a problem for err, outside of huma.
func (s *server) fail(c *gin.Context, err error) { s.refuse(c, problem(c.Request.Context(), err)) }

func (s *server) refuse(c *gin.Context, p *Problem) {
	p.RequestID = request.Of(c.Request.Context()).ID
	for name, values := range p.GetHeaders() {
		c.Writer.Header()[name] = values
	}
	c.Header("Content-Type", mediaProblem)
	c.AbortWithStatusJSON(p.Status, p)
}

// translate converts huma's own errors to problems. It is a transformer of this API, because replacing huma.NewError
// would affect the whole process.
func translate(ctx huma.Context, _ string, body any) (any, error) {
	model, ok := body.(*huma.ErrorModel)
	if !ok {
		return body, nil
	}
	p := newProblem(model.Status, "the request is not valid")
	p.RequestID = request.Of(ctx.Context()).ID
	for _, d := range model.Errors {
		p.add(fieldOf(d))
	}
	return p, nil
}

var requiredBefore, requiredAfter, _ = strings.Cut(validation.MsgExpectedRequiredProperty, "%s")

// fieldOf returns the field and the message for one of huma's errors. huma reports a missing property at the object
// that lacks it, and a value that Go can't represent (1e999) at the body, in terms of Go.
func fieldOf(d *huma.ErrorDetail) (field, message string) {
	field = d.Location
	if name, ok := strings.CutPrefix(d.Message, requiredBefore); ok {
		if name, ok = strings.CutSuffix(name, requiredAfter); ok {
			return strings.TrimPrefix(field+"."+name, "body."), "is missing"
		}
	}
	if field == "body" && strings.HasPrefix(d.Message, "json: ") {
		return field, "contains a value that can't be read"
	}
	return strings.TrimPrefix(field, "body."), d.Message
}
