package api

import (
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

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
		handle := on(handleOperation(o))
		switch {
		case o.Patch:
			r.method, r.path = patch, "/tickets/{number}"
		case o.verbs[0].Takes("mail"):
			r.path, handle = "/tickets/{number}/mails/{n}/"+o.Path, on(handleMailOperation(o))
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

// requestBody returns the schema of an operation's body, with the fields of its verb. The body is optional if no field
// is required.
func requestBody(api huma.API, o operation) *huma.RequestBody {
	d := o.verbs[0].Definition()
	schema := &huma.Schema{Type: huma.TypeObject, AdditionalProperties: false, Properties: map[string]*huma.Schema{}}
	for _, f := range d.Fields {
		property := propertyOf(f)
		if property == nil {
			continue
		}
		schema.Properties[f.Name] = property
		if f.Required&ticket.FromRequest != 0 {
			schema.Required = append(schema.Required, f.Name)
		}
	}
	schema.PrecomputeMessages()
	name := bodyName(o.ID)
	api.OpenAPI().Components.Schemas.Map()[name] = schema
	ref := &huma.Schema{Ref: "#/components/schemas/" + name}
	return &huma.RequestBody{
		Required: len(schema.Required)+len(d.OneOf) > 0,
		Content:  map[string]*huma.MediaType{mediaJSON: {Schema: ref}},
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
	case ticket.FieldInstant:
		property.Format = "date-time"
	case ticket.FieldEntry:
		first := 1.0
		property.Type, property.Format, property.Minimum = huma.TypeInteger, "int64", &first
	}
	return property
}
