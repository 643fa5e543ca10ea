package ticket

import (
	"cmp"
	"slices"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// Definition describes a verb. The lists of verbs, the checks of roles and statuses, the operations of the API, the forms
// of pages, the fields of requests and signals, and the help in Temporal UI are derived from it.
type Definition struct {
	Verb          Verb
	Label         string // of the button, in the imperative
	Done          string // shown to the person who sent the command, after it was done
	Roles         []Role
	Statuses      []Status // in which it is possible
	Fields        []Field
	OneOf         []string // fields of which at least one is required
	Operations    []Operation
	RequesterOnly bool   // of customers only the requester may send it, no participant
	Internal      bool   // its message is for staff only
	Bulk          string // participle for commands on several tickets at once, such as "assigned"; empty: not possible
	Manual        string // help for the manual command; empty: it is refused as one

	decide func(*decider, Command) *fault.Error
}

// Operation is an address at which a command with the verb is sent, in the API and on pages alike.
type Operation struct {
	ID      string // operation ID in the API's document
	Path    string // relative to the ticket's address
	Summary string
	Done    string // replaces Definition.Done; empty: does not
	For     []Role // roles that may use it
	Patch   bool   // in the API it is a PATCH of the ticket
}

// FieldKind is the type of a field, which says how its text is parsed.
type FieldKind string

// The kinds of fields.
const (
	FieldMessage    FieldKind = "message"    // a message of several lines
	FieldLine       FieldKind = "line"       // text in one line
	FieldAddress    FieldKind = "address"    // an email address
	FieldPriority   FieldKind = "priority"   // a priority
	FieldEntry      FieldKind = "entry"      // number of a timeline entry
	FieldInstant    FieldKind = "instant"    // RFC 3339
	FieldMail       FieldKind = "mail"       // number of a ticket's mail
	FieldFormat     FieldKind = "format"     // what the message is written in
	FieldFiles      FieldKind = "files"      // IDs of uploaded files, for the message
	FieldPerson     FieldKind = "person"     // a person's ID or address
	FieldRecipients FieldKind = "recipients" // all or requester, see Alone
	FieldNumber     FieldKind = "number"     // a number, in manual commands only
)

// Field is an input of a verb.
type Field struct {
	Name     string
	Kind     FieldKind
	Source   Source // of commands that may have it
	Required Source // of commands that must have it
	Doc      string // for the API's document
	Done     string // replaces Definition.Done if the field is set; %s is its value
}

// Source is a set of ways in which a command is sent.
type Source int

// The sources.
const (
	FromRequest Source = 1 << iota // the API and forms
	FromSignal                     // a manual command, as a signal or an update
	FromBoth    = FromRequest | FromSignal
)

var byVerb = func() map[Verb]Definition {
	index := make(map[Verb]Definition, len(definitions))
	for _, d := range definitions {
		index[d.Verb] = d
	}
	return index
}()

// Definitions returns the definitions of all verbs.
func Definitions() []Definition { return slices.Clone(definitions) }

// Definition returns the definition of the verb, and the zero Definition for an unknown verb.
func (v Verb) Definition() Definition { return byVerb[v] }

// Signals returns the verbs that are signals of the ticket workflow: all but submit.
func Signals() []Verb {
	var verbs []Verb
	for _, d := range definitions {
		if d.Verb != VerbSubmit {
			verbs = append(verbs, d.Verb)
		}
	}
	return verbs
}

// MayAsk reports whether a role may send commands with a verb at all, whatever the ticket's state.
func MayAsk(role Role, verb Verb) bool { return slices.Contains(byVerb[verb].Roles, role) }

// Fits reports whether the verb is possible in a status. A command may still be refused for other reasons.
func (v Verb) Fits(s Status) bool { return slices.Contains(byVerb[v].Statuses, s) }

// NeedsMessage reports whether every command with the verb needs a message, so that it can't be a manual command.
func (v Verb) NeedsMessage() bool {
	d := byVerb[v]
	return d.Manual == "" && d.InWords()
}

// Internal reports whether the verb's message is for staff only.
func (v Verb) Internal() bool { return byVerb[v].Internal }

// Help describes the effect and the fields of the manual command, or says why there is none.
func (v Verb) Help() string { return cmp.Or(byVerb[v].Manual, panelOnlyHelp) }

// OfEmergency reports whether the verb is that of a transition: pause, extend or resume.
func (v Verb) OfEmergency() bool { return v.acceptedInSignal(fieldEmergency) }

// Takes reports whether a request for the verb may have the named field.
func (v Verb) Takes(name string) bool { return byVerb[v].field(name).Source&FromRequest != 0 }

// acceptedInSignal reports whether a manual command with the verb may have the named field.
func (v Verb) acceptedInSignal(name string) bool { return byVerb[v].field(name).Source&FromSignal != 0 }

// field returns the named field, and the zero Field if there is none.
func (d Definition) field(name string) Field {
	i := slices.IndexFunc(d.Fields, func(f Field) bool { return f.Name == name })
	if i < 0 {
		return Field{}
	}
	return d.Fields[i]
}

// InWords reports whether requests for the verb require a message. Where it may have files, they can be the whole message.
func (d Definition) InWords() bool { return d.field("body").Required != 0 }

// For returns the operations that a role may use.
func (d Definition) For(role Role) []Operation {
	return slices.DeleteFunc(slices.Clone(d.Operations), func(o Operation) bool { return !slices.Contains(o.For, role) })
}
