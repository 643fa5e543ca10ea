package api

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

type commandInput struct {
	Number string `path:"number"`
	Body   any    // validated by the schema; see requestBody
}

type mailCommandInput struct {
	Number string `path:"number"`
	N      int    `path:"n" minimum:"1" doc:"The email's number within the ticket, as in the timeline."`
	Body   any
}

type commandOutput struct {
	Status   int
	Location string `header:"Location" doc:"With 202: the ticket, which will show the outcome."`
	Replayed string `header:"Idempotency-Replayed" doc:"true if the idempotency key was used before."`
	Body     any    // ticketView with 200, acceptedView with 202
}

type acceptedView struct {
	Number  ticket.Number `json:"number"`
	Command int64         `json:"command" doc:"The command's number within the ticket."`
	Status  string        `json:"status" enum:"accepted"`
}

// handleOperation returns the handler of an operation on a ticket.
func handleOperation(o operation) func(*server, context.Context, *commandInput) (*commandOutput, error) {
	return func(s *server, ctx context.Context, in *commandInput) (*commandOutput, error) {
		return s.parseCommand(ctx, in.Number, o, valuesOf(in.Body))
	}
}

// handleMailOperation returns the handler of an operation on an email of a ticket.
func handleMailOperation(o operation) func(*server, context.Context, *mailCommandInput) (*commandOutput, error) {
	return func(s *server, ctx context.Context, in *mailCommandInput) (*commandOutput, error) {
		values := valuesOf(in.Body)
		values.Set("mail", strconv.Itoa(in.N))
		return s.parseCommand(ctx, in.Number, o, values)
	}
}

// valuesOf converts a body to form values, which the API and the pages parse alike. Its schema allows strings,
// integers and lists of strings only.
func valuesOf(body any) url.Values {
	values := url.Values{}
	properties, _ := body.(map[string]any)
	for name, value := range properties {
		switch value := value.(type) {
		case string:
			values.Set(name, value)
		case float64:
			values.Set(name, strconv.FormatFloat(value, 'f', -1, 64))
		case []any:
			for _, one := range value {
				text, _ := one.(string)
				values.Add(name, text)
			}
		}
	}
	return values
}

// parseCommand parses the command of an operation from values, as the registry describes it, and runs it.
func (s *server) parseCommand(ctx context.Context, number string, o operation, values url.Values) (*commandOutput, error) {
	verb := o.verbFor(request.Of(ctx).Person.Role)
	var f input.Fields
	r := input.Command(&f, verb, values)
	for name := range values { // an operation's verbs may have different fields
		if !verb.Takes(name) {
			f.Reject("body."+name, "is not for your role")
		}
	}
	if one := verb.Definition().OneOf; len(one) > 0 && !slices.ContainsFunc(one, func(name string) bool { return values.Get(name) != "" }) {
		f.Reject("body", "must contain %s", strings.Join(one, " or "))
	}
	if err := f.Err(); err != nil {
		return nil, err
	}
	return s.runCommand(ctx, number, r)
}

// runCommand requests a command and returns its outcome: 200 with the ticket's new state, 202 if it was not decided in
// time, or a refusal as a problem.
func (s *server) runCommand(ctx context.Context, number string, r desk.Request) (*commandOutput, error) {
	v := request.Of(ctx)
	var err error
	if r.Number, err = s.number(number); err != nil {
		return nil, err
	}
	r.IdempotencyKey = v.IdempotencyKey
	a := request.Ask(ctx, s.Desk, v.Person, r)
	out := &commandOutput{Status: http.StatusOK, Replayed: replayed(a.Accepted.Again)}
	switch a.State {
	case request.Failed:
		return nil, a.Err
	case request.Refused:
		return nil, s.refusal(ctx, r, a.Outcome)
	case request.Granted:
		if r.Verb == ticket.VerbLeave { // the ticket can't be seen any more
			break
		}
		if out.Body, a.Err = s.ticket(ctx, r.Number); a.Err == nil {
			return out, nil
		}
	}
	v.Failure = a.Err
	out.Status, out.Location = http.StatusAccepted, linksOf(r.Number).Self
	out.Body = acceptedView{Number: r.Number, Command: a.Accepted.Seq, Status: "accepted"}
	return out, nil
}

// refusal returns the problem for a refused command. If the client had not seen the latest entries of the timeline, the
// problem lists their numbers.
func (s *server) refusal(ctx context.Context, r desk.Request, o ticket.Outcome) error {
	switch o.Code {
	case ticket.CodeRole:
		return &fault.Error{Kind: fault.Forbidden, Code: o.Code, Message: o.Reason}
	case ticket.CodeUnseen:
		p := newProblem(http.StatusConflict, o.Reason)
		p.Code = o.Code
		timeline, err := s.Desk.Timeline(ctx, request.Of(ctx).Person, r.Number)
		for _, e := range desk.Unseen(timeline, request.Of(ctx).Person, r.Seen) {
			p.Unseen = append(p.Unseen, e.N)
		}
		request.Of(ctx).Failure = err // the refusal is returned without the numbers
		return p
	}
	return fault.NewConflict(o.Code, "%s", o.Reason)
}

// operation is an API operation with its verbs, of which the caller's role selects one.
type operation struct {
	ticket.Operation
	verbs []ticket.Verb
}

// operations returns the operations of all verbs in the registry. Verbs with the same operation ID share one.
func operations() []operation {
	var all []operation
	for _, d := range ticket.Definitions() {
		for _, o := range d.Operations {
			i := slices.IndexFunc(all, func(other operation) bool { return other.ID == o.ID })
			if i < 0 {
				all = append(all, operation{Operation: o, verbs: []ticket.Verb{d.Verb}})
				continue
			}
			all[i].verbs, all[i].For = append(all[i].verbs, d.Verb), slices.Concat(all[i].For, o.For)
		}
	}
	return all
}

// commandRoutes returns the routes of all operations.
func commandRoutes() []route {
	var routes []route
	for _, o := range operations() {
		r := route{method: post, path: "/tickets/{number}/" + o.Path, access: o.access(), id: o.ID, summary: o.Summary, answer: decided}
		handle := onResponse(handleOperation(o))
		switch {
		case o.Patch:
			r.method, r.path = patch, "/tickets/{number}"
		case o.verbs[0].Takes("mail"):
			r.path, handle = "/tickets/{number}/mails/{n}/"+o.Path, onResponse(handleMailOperation(o))
		}
		r.bind = func(s *server, api huma.API, op huma.Operation) {
			op.RequestBody = requestBody(api, o)
			handle(s, api, op)
		}
		routes = append(routes, r)
	}
	return routes
}

// access returns the access rule of the operation, narrowed to the roles of its verbs.
func (o operation) access() page.Access {
	staff := slices.ContainsFunc(o.For, ticket.Role.Staff)
	switch {
	case staff && slices.Contains(o.For, ticket.RoleCustomer):
		return signedIn
	case staff:
		return page.Staff.For(o.verbs[0])
	default:
		return customers.For(o.verbs[0])
	}
}

// verbFor returns the operation's verb for a role.
func (o operation) verbFor(role ticket.Role) ticket.Verb {
	if i := slices.IndexFunc(o.verbs, func(v ticket.Verb) bool { return ticket.MayAsk(role, v) }); i >= 0 {
		return o.verbs[i]
	}
	return o.verbs[0] // the command is refused
}

// requestBody returns the schema of an operation's body, with the fields of its verbs, which require the same ones. The body
// is optional if no field is required.
func requestBody(api huma.API, o operation) *huma.RequestBody {
	d := o.verbs[0].Definition()
	schema := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: false, Properties: map[string]*huma.Schema{}}
	takesFiles := d.Verb.Takes("files") // then its body may be empty, which input.Command checks
	for _, verb := range o.verbs {
		for _, f := range verb.Definition().Fields {
			property := propertyOf(f)
			if property == nil {
				continue
			}
			schema.Properties[f.Name] = property
			if verb == o.verbs[0] && f.Required&ticket.FromRequest != 0 && (f.Kind != ticket.FieldMessage || !takesFiles) {
				schema.Required = append(schema.Required, f.Name)
			}
		}
	}
	schema.PrecomputeMessages()
	name := bodyName(o.ID)
	api.OpenAPI().Components.Schemas.Map()[name] = schema
	content := map[string]*huma.MediaType{mediaJSON: {Schema: &huma.Schema{Ref: "#/components/schemas/" + name}}}
	if takesFiles {
		content[mediaForm] = formMedia()
	}
	return &huma.RequestBody{
		Required: len(schema.Required)+len(d.OneOf) > 0 || d.InWords(),
		Content:  content,
	}
}

// bodyName returns the name of an operation's body among the document's schemas.
func bodyName(id string) string {
	var name strings.Builder
	for word := range strings.SplitSeq(id, "-") {
		name.WriteString(strings.ToUpper(word[:1]) + word[1:])
	}
	return name.String() + "Body"
}

// propertyOf returns the schema of a field, or nil if the field is not part of the body.
func propertyOf(f ticket.Field) *huma.Schema {
	if f.Source&ticket.FromRequest == 0 {
		return nil
	}
	property := &huma.Schema{Type: huma.TypeString, Description: f.Doc}
	switch f.Kind {
	case ticket.FieldMail: // it is in the path
		return nil
	case ticket.FieldPriority:
		property = oneOf(policy.Priorities())
		property.Description = f.Doc
	case ticket.FieldRecipients:
		property = oneOf([]string{input.ToAll, input.ToRequester})
		property.Description = f.Doc
	case ticket.FieldFormat:
		property = oneOf(desk.Formats())
		property.Description = f.Doc
	case ticket.FieldFiles:
		property = fileIDs(nil).Schema(nil)
		property.Description = f.Doc
	case ticket.FieldInstant:
		property.Format = "date-time"
	case ticket.FieldEntry:
		first := 1.0
		property.Type, property.Format, property.Minimum = huma.TypeInteger, "int64", &first
	}
	return property
}
