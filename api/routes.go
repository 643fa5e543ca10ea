package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const (
	get   = http.MethodGet
	post  = http.MethodPost
	patch = http.MethodPatch
	put   = http.MethodPut
	del   = http.MethodDelete
)

// route is an entry of the table below. Its path is relative to prefix.
type route struct {
	method, path string
	access       page.Access
	id           string // operation ID
	summary      string
	answer       answerKind
	bind         binder
}

// answerKind determines the statuses of a route's successful responses.
type answerKind int

const (
	result  answerKind = iota + 1 // 200, with the handler's result
	created                       // 201
	decided                       // a command: 200 with the ticket's new state, or 202 if it was not decided in time
)

// routes returns every route of the API except /healthz, /readyz and the OpenAPI document.
func routes() []route {
	return slices.Concat(fixedRoutes(), mailRoutes(), peopleRoutes(), commandRoutes())
}

// fixedRoutes returns every route except those of mailRoutes and peopleRoutes, and those that commandRoutes derives from the registry of verbs.
func fixedRoutes() []route {
	return slices.Concat([]route{
		{post, "/tickets", signedIn.For(ticket.VerbSubmit), "submit-ticket", "Submit a ticket; staff submit it for a customer", created, withForm(onResponse((*server).submit))},
		{get, "/tickets", signedIn, "list-tickets", "List tickets: your own, or all of them for staff", result, onResponse((*server).list)},
		{get, "/tickets/{number}", signedIn, "read-ticket", "Read a ticket with its clocks", result, on((*server).read)},
		{get, "/tickets/{number}/timeline", signedIn, "read-timeline", "Read a ticket's timeline", result, on((*server).timeline)},
		{post, "/tickets/{number}/rating", customers, "rate-ticket", "Rate the support you received, once the ticket is resolved", result, on((*server).rate)},
		{get, "/track/{number}", anyone, "track-ticket", "Read a ticket's status and deadlines by its number alone", result, on((*server).track)},
		{get, "/notice", anyone, "read-notices", "Read the notices of emergencies in force and planned", result, onResponse((*server).notices)},
		{get, "/policy", optionalSignIn, "read-policy", "Read the policy in force", result, onResponse((*server).policy)},
	}, ifAvailable(func(c Config) bool { return c.Files != nil }, []route{
		{post, "/files", signedIn, "upload-file", "Upload a file, to send with a message", created, uploadBinder},
		{get, "/files/{id}", signedIn, "read-file", "Read a file's bytes", result, onStream((*server).readFile)},
		{get, "/files/{id}/preview", signedIn, "read-preview", "Read the smaller image of an image", result, onStream((*server).readPreview)},
		{patch, "/files/{id}", signedIn, "describe-file", "Describe an image that you have not sent yet", result, on((*server).describeFile)},
		{del, "/files/{id}", signedIn, "delete-file", "Delete a file: one that you have not sent yet, or, as staff, any", result, on((*server).deleteFile)},
	}), ifAvailable(func(c Config) bool { return c.Reports != nil }, []route{
		{get, "/reports/promises", supervisors, "report-promises", "Report on targets met and breached, by week, priority, category and agent", result, on((*server).reportPromises)},
	}), ifAvailable(func(c Config) bool { return c.Staffing != nil }, []route{
		{get, "/away", colleagues, "list-staff", "List the staff: who is away, and how many tickets each is assigned", result, onResponse((*server).colleagues)},
		{post, "/away", colleagues, "mark-away", "Mark yourself or a colleague as away or back", result, on((*server).setAway)},
		{get, "/groups", supervisors, "list-groups", "List the groups that assignment rules assign tickets to, with their members", result, onResponse((*server).groups)},
		{post, "/groups", supervisors, "make-group", "Create a group", created, on((*server).makeGroup)},
		{patch, "/groups/{group}", supervisors, "rename-group", "Rename a group", result, on((*server).renameGroup)},
		{del, "/groups/{group}", supervisors, "delete-group", "Delete a group", result, onResponse((*server).deleteGroup)},
		{put, "/groups/{group}/members/{agent}", supervisors, "join-group", "Add an agent to a group", result, on((*server).joinGroup)},
		{del, "/groups/{group}/members/{agent}", supervisors, "leave-group", "Remove an agent from a group", result, on((*server).leaveGroup)},
	}), ifAvailable(func(c Config) bool { return c.Emergencies != nil }, []route{
		{post, "/emergencies", supervisors, "declare-emergency", "Declare an emergency, now or planned", created, onResponse((*server).declare)},
		{post, "/emergencies/dry-run", supervisors, "dry-run-emergency", "Dry run of declaring an emergency", result, on((*server).dryRunDeclaration)},
		{get, "/emergencies", supervisors, "list-emergencies", "List all emergencies, the last declared first", result, on((*server).listEmergencies)},
		{get, "/emergencies/current", supervisors, "current-emergencies", "List emergencies in force and planned, with the progress of the fan-out", result, on((*server).currentEmergencies)},
		{get, "/emergencies/{id}", supervisors, "read-emergency", "Read an emergency with all its changes", result, on((*server).readEmergency)},
		{patch, "/emergencies/{id}", supervisors, "change-emergency", "Change an emergency's dates, notice or delay", result, onResponse((*server).changeEmergency)},
		{del, "/emergencies/{id}", supervisors, "end-emergency", "Lift an emergency in force, or cancel a planned one", result, onResponse((*server).endEmergency)},
		{post, "/emergencies/{id}/dry-run", supervisors, "dry-run-change", "Dry run of changing or ending an emergency", result, on((*server).dryRunChange)},
	}), ifAvailable(func(c Config) bool { return c.Policies != nil }, []route{
		{get, "/policies", optionalSignIn, "list-policies", "List all published policy versions, the newest first", result, onResponse((*server).listPolicies)},
		{get, "/policies/{version}", optionalSignIn, "read-policy-version", "Read a policy version with its changes from the previous one", result, onResponse((*server).policyVersion)},
		{post, "/policies", supervisors, "publish-policy", "Publish a document as the next policy version", created, onResponse((*server).publishPolicy)},
		{post, "/policies/check", supervisors, "check-policy", "Check a document, and compare it with the policy in force", result, on((*server).checkPolicy)},
		{post, "/policies/{version}/adoption/dry-run", supervisors, "dry-run-adoption", "Dry run of moving open tickets to a policy version", result, on((*server).dryRunAdoption)},
		{post, "/policies/{version}/adoption", supervisors, "adopt-policy", "Move open tickets to a policy version", result, onResponse((*server).adoptPolicy)},
		{get, "/policies/{version}/adoption", supervisors, "read-adoption", "Read which tickets were moved to a policy version, and by whom", result, onResponse((*server).readAdoption)},
	}))
}

// mailRoutes returns the routes of incoming mail.
func mailRoutes() []route {
	return slices.Concat(ifAvailable(func(c Config) bool { return c.Relayed.Receiver != nil }, []route{
		{post, "/incoming-mails", relays, "receive-mail", "Deliver an email to the desk, as a relay", created, mailBinder},
	}), ifAvailable(func(c Config) bool { return c.Incoming != nil }, []route{
		{get, "/incoming-mails", colleagues, "list-incoming-mails", "List incoming mails by status, the newest first", result, on((*server).listIncoming)},
		{get, "/incoming-mails/{id}", colleagues, "read-incoming-mail", "Read an incoming mail, and why it is in quarantine", result, on((*server).readIncoming)},
		{get, "/incoming-mails/{id}/raw", supervisors, "read-raw-mail", "Read an incoming mail as it arrived", result, onStream((*server).readRaw)},
		{post, "/incoming-mails/{id}/release", colleagues, "release-incoming-mail", "Release a mail: it becomes a ticket or a reply", result, on((*server).releaseIncoming)},
		{del, "/incoming-mails/{id}", supervisors, "delete-incoming-mail", "Delete the content of a mail", result, on((*server).deleteIncoming)},
		{get, "/blocked-senders", supervisors, "list-blocked-senders", "List the senders whose mails are recorded only", result, on((*server).listBlocked)},
		{post, "/blocked-senders", supervisors, "block-sender", "Block a sender: further mails are recorded only", result, on((*server).blockSender)},
		{del, "/blocked-senders/{sender}", supervisors, "unblock-sender", "Unblock a sender", result, on((*server).unblockSender)},
	}))
}

// peopleRoutes returns the routes of people's addresses.
func peopleRoutes() []route {
	return slices.Concat(ifAvailable(func(c Config) bool { return c.Accounts != nil }, []route{
		{get, "/account/addresses", signedIn, "list-addresses", "List your email addresses", result, on((*server).listAddresses)},
		{post, "/account/addresses", signedIn, "add-address", "Add an email address: it is sent a link, and becomes yours once you open that, signed in", result, on((*server).addAddress)},
		{put, "/account/addresses/primary", signedIn, "set-primary-address", "Make one of your further addresses the primary one", result, on((*server).setPrimaryAddress)},
		{post, "/account/address-removals", signedIn, "remove-address", "Remove one of your further addresses", result, on((*server).removeAddress)},
	}), ifAvailable(func(c Config) bool { return c.Contacts != nil }, []route{
		{patch, "/contacts/{id}", colleagues, "correct-contact", "Correct the address of a contact, a customer without an account", result, on((*server).correctContact)},
	}))
}

// ifAvailable returns routes that respond with an Unavailable fault in a process without what their handlers need.
func ifAvailable(available func(Config) bool, routes []route) []route {
	for i, r := range routes {
		routes[i].bind = func(s *server, api huma.API, op huma.Operation) {
			if !available(s.Config) {
				op.Middlewares = append(op.Middlewares, s.refuseUnavailable)
			}
			r.bind(s, api, op)
		}
	}
	return routes
}

// refuseUnavailable is the middleware of operations that this process does not have.
func (s *server) refuseUnavailable(ctx huma.Context, _ func(huma.Context)) {
	s.fail(humagin.Unwrap(ctx), fault.New(fault.Unavailable, "this operation is not available here"))
}

// A binder registers a route's handler with huma.
type binder func(*server, huma.API, huma.Operation)

// bodyOf is a request or a response that has a body and nothing else.
type bodyOf[T any] struct{ Body T }

// on returns a binder of handle, which returns the response's body.
func on[I, O any](handle func(*server, context.Context, *I) (O, error)) binder {
	return onResponse(func(s *server, ctx context.Context, in *I) (*bodyOf[O], error) {
		body, err := handle(s, ctx, in)
		return &bodyOf[O]{body}, err
	})
}

// onResponse returns a binder of handle, which returns the response with its headers. An error becomes a problem.
func onResponse[I, O any](handle func(*server, context.Context, *I) (*O, error)) binder {
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

// onStream is like onResponse for operations whose responses are bytes.
func onStream[I any](handle func(*server, context.Context, *I) (*huma.StreamResponse, error)) binder {
	return func(s *server, api huma.API, op huma.Operation) {
		op.Responses["200"] = &huma.Response{
			Description: "The bytes", Content: map[string]*huma.MediaType{"*/*": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}}},
		}
		onResponse(handle)(s, api, op)
	}
}

// operation returns huma's description of a route with the middleware that authorises and checks its requests.
func (s *server) operation(api huma.API, r route) (huma.Operation, error) {
	if r.access.Who == "" {
		return huma.Operation{}, fmt.Errorf("%s %s has no rule for who may ask", r.method, r.path)
	}
	op := huma.Operation{
		OperationID: r.id, Method: r.method, Path: r.path, Summary: r.summary, Description: r.access.Who,
		Middlewares: huma.Middlewares{s.authorise(r.access), s.checkRequest},
		Responses:   map[string]*huma.Response{"default": problemResponse(api)},
		// checkRequest has read the body already. By default huma sets a read deadline of five seconds, after which
		// net/http cancels the context of a handler that is still running.
		BodyReadTimeout: -1,
	}
	if r.access.Allows != nil {
		op.Security = []map[string][]string{{bearer: {}}, {"session": {}}}
	} else if !r.access.Signs {
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

// viewEach returns the view of each element. It is never nil, which JSON would show as null.
func viewEach[T, V any](all []T, view func(T) V) []V {
	views := make([]V, len(all))
	for i, one := range all {
		views[i] = view(one)
	}
	return views
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

// Enumerations of the domain as input. huma validates against the values in their schemas.
type (
	queueName    string
	statusName   string
	priorityName string

	emergencyKind string
)

// Schema lists the queues.
func (queueName) Schema(huma.Registry) *huma.Schema { return oneOf(desk.Queues()) }

// Schema lists the statuses.
func (statusName) Schema(huma.Registry) *huma.Schema { return oneOf(ticket.Statuses()) }

// Schema lists the priorities.
func (priorityName) Schema(huma.Registry) *huma.Schema { return oneOf(policy.Priorities()) }

// Schema lists the kinds of emergencies.
func (emergencyKind) Schema(huma.Registry) *huma.Schema { return oneOf(ticket.EmergencyKinds()) }

func oneOf[T ~string](words []T) *huma.Schema {
	schema := &huma.Schema{Type: huma.TypeString}
	for _, word := range words {
		schema.Enum = append(schema.Enum, string(word))
	}
	return schema
}
