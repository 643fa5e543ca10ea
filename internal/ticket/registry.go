package ticket

import (
	"cmp"
	"slices"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// Definition describes a verb. The lists of verbs, the checks of roles and statuses, the operations of the API, the
// forms of pages, the fields that requests and signals carry and the help in Temporal UI are derived from it.
type Definition struct {
	Verb       Verb
	Label      string // in the imperative, for people
	Done       string // shown to the person who asked, once it is done
	Roles      []Role
	Statuses   []Status // those in which it means something
	Fields     []Field
	OneOf      []string // fields of which one must be there
	Operations []Operation
	Internal   bool   // its words are for staff only
	Bulk       string // what it did to several tickets at once, as a participle; empty: it is asked of one
	Manual     string // help for a signal by hand; empty: it is refused by hand

	decide func(*decider, Command) *fault.Error
}

// Operation is an address at which people ask a ticket for a verb, in the API and on pages alike.
type Operation struct {
	ID      string // in the document of the API
	Path    string // what follows the ticket's address
	Summary string
	Done    string // in place of Definition.Done
	For     []Role // who asks here
	Patch   bool   // in the API it is a PATCH of the ticket itself
}

// FieldKind says how the text of a field is read.
type FieldKind string

// The kinds of fields.
const (
	FieldWords    FieldKind = "words"    // a message of many lines
	FieldLine     FieldKind = "line"     // a word or a name
	FieldAddress  FieldKind = "address"  // an e-mail address
	FieldPriority FieldKind = "priority" // one of the policy's priorities
	FieldEntry    FieldKind = "entry"    // the number of a timeline's entry
	FieldInstant  FieldKind = "instant"  // RFC 3339
	FieldMail     FieldKind = "mail"     // the number of a ticket's mail
	FieldNumber   FieldKind = "number"   // of signals by hand only
)

// Field is an input of a verb.
type Field struct {
	Name     string
	Kind     FieldKind
	Source   Source // where it may come from
	Required Source // where it must be there
	Doc      string // for the document of the API
	Done     string // in place of Definition.Done where it is given; %s is its value
}

// Source says where a field comes from.
type Source int

// The sources.
const (
	FromRequest Source = 1 << iota // the API and forms
	FromSignal                     // a signal or an update by hand
	FromBoth    = FromRequest | FromSignal
)

var byVerb = func() map[Verb]Definition {
	index := make(map[Verb]Definition, len(definitions))
	for _, d := range definitions {
		index[d.Verb] = d
	}
	return index
}()

// Definitions lists every verb.
func Definitions() []Definition { return slices.Clone(definitions) }

// Definition returns the verb's entry in the registry; the zero Definition for a verb that is unknown.
func (v Verb) Definition() Definition { return byVerb[v] }

// Signals lists the verbs that reach a ticket after its submission.
func Signals() []Verb {
	var verbs []Verb
	for _, d := range definitions {
		if d.Verb != VerbSubmit {
			verbs = append(verbs, d.Verb)
		}
	}
	return verbs
}

// MayAsk reports whether a role may ask for a verb at all, whatever the ticket's state.
func MayAsk(role Role, verb Verb) bool { return slices.Contains(byVerb[verb].Roles, role) }

// Fits reports whether a verb means something while a ticket has a status. Whether it is granted depends on more.
func (v Verb) Fits(s Status) bool { return slices.Contains(byVerb[v].Statuses, s) }

// NeedsMessage reports whether a command of this verb is nothing without a message, even by hand.
func (v Verb) NeedsMessage() bool {
	d := byVerb[v]
	return d.Manual == "" && d.InWords()
}

// Internal reports whether a verb's words are for staff only.
func (v Verb) Internal() bool { return byVerb[v].Internal }

// Help says what a signal by hand does and carries, or where else to ask for the verb.
func (v Verb) Help() string { return cmp.Or(byVerb[v].Manual, needsPanel) }

// OfEmergency reports whether a verb is one of those by which the emergency schedule reaches a ticket.
func (v Verb) OfEmergency() bool { return v.bySignal(fieldEmergency) }

// Takes reports whether a request for the verb may carry the field.
func (v Verb) Takes(name string) bool { return byVerb[v].field(name).Source&FromRequest != 0 }

// bySignal reports whether a signal by hand may carry the field.
func (v Verb) bySignal(name string) bool { return byVerb[v].field(name).Source&FromSignal != 0 }

// field returns the zero Field for a name that the verb doesn't know.
func (d Definition) field(name string) Field {
	i := slices.IndexFunc(d.Fields, func(f Field) bool { return f.Name == name })
	if i < 0 {
		return Field{}
	}
	return d.Fields[i]
}

// InWords reports whether the verb is asked for by writing a message.
func (d Definition) InWords() bool { return d.field("body").Required != 0 }

// For returns the operations at which a role asks for the verb.
func (d Definition) For(role Role) []Operation {
	return slices.DeleteFunc(slices.Clone(d.Operations), func(o Operation) bool { return !slices.Contains(o.For, role) })
}
