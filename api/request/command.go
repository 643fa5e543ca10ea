package request

import (
	"bytes"
	"context"
	"crypto/sha256"
	"net/url"
	"strconv"
	"strings"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const maxAddress = 254 // the longest address that mail has

// Command reads a command from the values of a form or of a JSON body, by the verb's entry in the registry. What can't
// be read is noted in f. Number and Once are left to the caller.
func Command(f *input.Fields, verb ticket.Verb, values url.Values) desk.Request {
	r := desk.Request{Verb: verb}
	for _, field := range verb.Definition().Fields {
		if field.Source == ticket.FromSignal {
			continue
		}
		read(f, &r, field, values)
	}
	return r
}

func read(f *input.Fields, r *desk.Request, field ticket.Field, values url.Values) {
	text := values.Get(field.Name)
	switch field.Kind {
	case ticket.FieldWords:
		if field.Required || text != "" {
			r.Body = f.Words(field.Name, text)
		}
	case ticket.FieldEntry:
		r.Seen = f.Entry(field.Name, text)
	case ticket.FieldPriority:
		r.Priority = policy.Priority(text)
		if text != "" && !r.Priority.Valid() {
			f.Reject(field.Name, "is no priority")
		}
	case ticket.FieldAddress:
		r.Address = f.Optional(field.Name, strings.TrimSpace(text), maxAddress)
	case ticket.FieldMail:
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			f.Reject(field.Name, "is no mail of this ticket")
		}
		r.Mail = n
	case ticket.FieldLine:
		readLine(f, r, field.Name, values)
	}
}

// readLine reads a name. An empty "expected" says that the ticket is unassigned, a missing one says nothing.
func readLine(f *input.Fields, r *desk.Request, name string, values url.Values) {
	text := f.Optional(name, values.Get(name), input.MaxWord)
	switch name {
	case "agent":
		r.Agent = text
	case "expected":
		if values.Has(name) {
			r.Expected = &text
		}
	case "category":
		r.Category = text
	}
}

// OnceOf is the idempotency key of a request, with the fingerprint of the parts that have to be the same when it is
// repeated.
func OnceOf(key string, parts ...[]byte) desk.Once {
	hash := sha256.Sum256(bytes.Join(parts, []byte("\n")))
	return desk.Once{Key: key, Fingerprint: hash[:]}
}

// State is what became of a command.
type State int

// The states. Whatever fails after acceptance leaves a command pending: an error would invite to repeat it.
const (
	Failed  State = iota // not accepted; see Err
	Pending              // accepted, and not known to be decided
	Refused              // see Outcome
	Granted
)

// Answer is what became of a command, for JSON and pages to render.
type Answer struct {
	State    State
	Accepted desk.Accepted
	Outcome  ticket.Outcome
	Err      error
}

type commander interface {
	Command(context.Context, desk.Person, desk.Request) (desk.Accepted, ticket.Outcome, bool, error)
}

// Ask asks the desk for a command and waits for the outcome.
func Ask(ctx context.Context, d commander, by desk.Person, r desk.Request) Answer {
	accepted, outcome, decided, err := d.Command(ctx, by, r)
	a := Answer{State: Granted, Accepted: accepted, Outcome: outcome, Err: err}
	switch {
	case err != nil && accepted.Seq == 0:
		a.State = Failed
	case err != nil || !decided:
		a.State = Pending
	case outcome.Refused:
		a.State = Refused
	}
	return a
}
