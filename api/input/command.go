package input

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// The recipients of a message of staff.
const (
	ToAll       = "all"       // requester and participants; the default
	ToRequester = "requester" // the requester alone
	ToStaff     = "staff"     // staff alone; of customers' messages by email
)

// Recipients parses the recipients of a message and reports whether it is for the requester alone.
func Recipients(f *Fields, field, typed string) (alone bool) {
	if typed != "" && typed != ToAll && typed != ToRequester {
		f.Reject(field, "must be all or requester")
	}
	return typed == ToRequester
}

// Command parses a command from the values of a form or a JSON body, as the registry describes the verb. It rejects
// fields in f. The caller sets the ticket's number and the idempotency key.
func Command(f *Fields, verb ticket.Verb, values url.Values) desk.Request {
	r := desk.Request{Verb: verb}
	if verb.Takes("files") {
		r.Files = Files(f, values["files"])
	}
	for _, field := range verb.Definition().Fields {
		if field.Source&ticket.FromRequest != 0 {
			readField(f, &r, field, values)
		}
	}
	return r
}

func readField(f *Fields, r *desk.Request, field ticket.Field, values url.Values) {
	text := values.Get(field.Name)
	switch field.Kind {
	case ticket.FieldMessage:
		r.Body = f.Message(field.Name, text, field.Required&ticket.FromRequest != 0, r.Files)
	case ticket.FieldFormat:
		r.Format = f.Format(field.Name, text)
	case ticket.FieldEntry:
		r.Seen = f.Entry(field.Name, text)
	case ticket.FieldPriority:
		r.Priority = policy.Priority(text)
		if text != "" && !r.Priority.Valid() {
			f.Reject(field.Name, "is not a priority")
		}
	case ticket.FieldAddress:
		r.Address = f.Optional(field.Name, strings.TrimSpace(text), desk.MaxAddress)
	case ticket.FieldMail:
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			f.Reject(field.Name, "is not an email of this ticket")
		}
		r.Mail = n
	case ticket.FieldPerson:
		r.Whom.Person = f.Line(field.Name, text, desk.MaxAddress)
	case ticket.FieldRecipients:
		r.Alone = Recipients(f, field.Name, text)
	case ticket.FieldInstant:
		r.Until = f.Instant(field.Name, text)
	case ticket.FieldLine:
		readLine(f, r, field.Name, values)
	}
}

// Files parses the IDs of a message's files. Whether the message can have them is for the store to say.
func Files(f *Fields, ids []string) (files []desk.FileID) {
	for _, id := range ids {
		if file := desk.FileID(id); file.Valid() {
			files = append(files, file)
		} else {
			f.Reject("files", "contains what is not the ID of a file")
		}
	}
	return files
}

// readLine parses a field of one line. An empty "expected" means that the caller expects the ticket to be unassigned; if
// it is missing the caller expects nothing.
func readLine(f *Fields, r *desk.Request, name string, values url.Values) {
	limit := MaxWord
	if name == "name" {
		limit = desk.MaxName
	}
	text := f.Optional(name, values.Get(name), limit)
	switch name {
	case "agent":
		r.Agent = text
	case "name":
		r.Whom.Name = text
	case "expected":
		if values.Has(name) {
			r.Expected = &text
		}
	case "category":
		r.Category = text
	}
}

// Whom parses the address or ID and the name of a customer.
func Whom(f *Fields, field, person, name string) desk.Whom {
	return desk.Whom{Person: f.Line(field, person, desk.MaxAddress), Name: f.Optional("name", name, desk.MaxName)}
}
