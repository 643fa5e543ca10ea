package ticket

import (
	"cmp"
	"slices"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// Definition describes a verb. The lists of verbs, the checks of roles and statuses, the fields that requests and
// signals carry and the help in Temporal UI are derived from it.
type Definition struct {
	Verb     Verb
	Label    string // in the imperative, for people
	Done     string // shown to the person who asked, once it is done
	Roles    []Role
	Statuses []Status // those in which it means something
	Fields   []Field
	Internal bool   // its words are for staff only
	Manual   string // help for a signal by hand; empty: it is refused by hand

	decide func(*story, Command) *fault.Error
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
	FieldMail     FieldKind = "mail"     // the number of a ticket's mail
	FieldNumber   FieldKind = "number"   // of signals by hand only
)

// Field is an input of a verb.
type Field struct {
	Name     string
	Kind     FieldKind
	Required bool
	Source   Source
}

// Source says where a field may come from.
type Source int

// The sources.
const (
	FromRequest Source = iota // the API and forms
	FromSignal                // a signal by hand
	FromBoth
)

var (
	fieldBody = Field{Name: "body", Kind: FieldWords, Required: true}
	fieldSeen = Field{Name: "seen", Kind: FieldEntry}
	fieldName = Field{Name: fieldEmergency, Kind: FieldLine, Source: FromSignal}
)

// needsPanel is the help for every verb that is refused by hand.
const needsPanel = "Needs words, its requester or a mail to choose, and so is refused by hand: use the panel."

// definitions is the registry of verbs, in the order in which they are listed.
var definitions = []Definition{
	{
		Verb: VerbSubmit, Label: "Submit", Done: "The ticket is submitted.",
		Roles: requester, Statuses: []Status{""}, decide: (*story).submit,
	},
	{
		Verb: VerbAssign, Label: "Assign", Done: "The ticket is assigned.",
		Roles: staffOrHand, Statuses: alive, decide: (*story).assign,
		Fields: []Field{{Name: fieldAgent, Kind: FieldLine, Source: FromBoth}, {Name: "expected", Kind: FieldLine}},
		Manual: `Gives the ticket to an agent, by handle: {"agent": "agent-1"}`,
	},
	{
		Verb: VerbCustomerReply, Label: "Reply", Done: "Your reply is with us.",
		Roles: requester, Statuses: alive, Fields: []Field{fieldBody, fieldSeen}, decide: (*story).customerReply,
	},
	{
		Verb: VerbAgentReply, Label: "Reply", Done: "The reply is sent.",
		Roles: staff, Statuses: alive, Fields: []Field{fieldBody, fieldSeen}, decide: (*story).agentReply,
	},
	{
		Verb: VerbRequestInformation, Label: "Request information", Done: "The ticket waits for the requester.",
		Roles: staff, Statuses: unresolved, Fields: []Field{fieldBody, fieldSeen}, decide: (*story).requestInformation,
	},
	{
		Verb: VerbProgressUpdate, Label: "Progress update", Done: "The progress is told.",
		Roles: staff, Statuses: unresolved, Fields: []Field{fieldBody, fieldSeen}, decide: (*story).progressUpdate,
	},
	{
		Verb: VerbNote, Label: "Internal note", Done: "The note is kept.",
		Roles: staff, Statuses: alive, Fields: []Field{fieldBody}, Internal: true, decide: (*story).note,
	},
	{
		Verb: VerbReclassify, Label: "Reclassify", Done: "The ticket is reclassified.",
		Roles: staffOrHand, Statuses: alive, decide: (*story).reclassify,
		Fields: []Field{
			{Name: fieldPriority, Kind: FieldPriority, Source: FromBoth}, {Name: fieldCategory, Kind: FieldLine, Source: FromBoth},
		},
		Manual: `Changes priority or category, and with the priority the targets: {"priority": "high"}, {"category": "order"}`,
	},
	{
		Verb: VerbResolve, Label: "Reply and resolve", Done: "The ticket is resolved.",
		Roles: staffOrHand, Statuses: unresolved, Fields: []Field{fieldBody, fieldSeen}, decide: (*story).resolve,
		Manual: "Resolves the ticket, without words. No input.",
	},
	{
		Verb: VerbClose, Label: "Close", Done: "The ticket is closed.",
		Roles: anyone, Statuses: alive, Fields: []Field{fieldSeen}, decide: (*story).close,
		Manual: "Closes the ticket for good. No input.",
	},
	{
		Verb: VerbReopen, Label: "Reopen", Done: "The ticket is open again.",
		Roles: staffOrHand, Statuses: idle, decide: (*story).reopen,
		Manual: "Opens a waiting or resolved ticket again. No input.",
	},
	{
		Verb: VerbWithdraw, Label: "Withdraw", Done: "You have taken the ticket back, and it is closed.",
		Roles: requester, Statuses: alive, Fields: []Field{fieldSeen}, decide: (*story).withdraw,
	},
	{
		Verb: VerbAcknowledge, Label: "Acknowledge", Done: "The escalation is acknowledged.",
		Roles: staffOrHand, Statuses: alive, Internal: true, decide: (*story).acknowledge,
		Fields: []Field{{Name: "reason", Kind: FieldWords}},
		Manual: "Stops the escalation. No input.",
	},
	{
		Verb: VerbEmergencyPause, Label: "Pause for an emergency", Done: "The clocks are stopped.",
		Roles: command, Statuses: alive, Fields: []Field{fieldName}, decide: (*story).emergencyPause,
		Manual: `Stops both clocks of this one ticket. No input, or a name: {"emergency": "flood"}`,
	},
	{
		Verb: VerbEmergencyExtend, Label: "Extend for an emergency", Done: "The targets are extended.",
		Roles: command, Statuses: alive, decide: (*story).emergencyExtend,
		Fields: []Field{fieldName, {Name: fieldSeconds, Kind: FieldNumber, Source: FromSignal}},
		Manual: `Lengthens both targets of this one ticket: {"seconds": 86400}`,
	},
	{
		Verb: VerbEmergencyResume, Label: "Resume after an emergency", Done: "The clocks run again.",
		Roles: command, Statuses: alive, Fields: []Field{fieldName}, decide: (*story).emergencyResume,
		Manual: "Lets the clocks run that emergency-pause stopped. No input.",
	},
	{
		Verb: VerbAdoptPolicy, Label: "Move to a policy version", Done: "The ticket has moved to that version of the policy.",
		Roles: command, Statuses: alive, decide: (*story).adoptPolicy,
		Fields: []Field{{Name: fieldPolicy, Kind: FieldNumber, Source: FromSignal}},
		Manual: `Moves the ticket to a published version of the policy: {"policy": 2}`,
	},
	{
		Verb: VerbResend, Label: "Send again", Done: "The mail is sent again.",
		Roles: staff, Statuses: started, decide: (*story).resend,
		Fields: []Field{{Name: "mail", Kind: FieldMail, Required: true}, {Name: "address", Kind: FieldAddress}},
	},
}

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

// NeedsWords reports whether a command of this verb is nothing without a message, even by hand.
func (v Verb) NeedsWords() bool {
	d := byVerb[v]
	return d.Manual == "" && slices.Contains(d.Fields, fieldBody)
}

// Internal reports whether a verb's words are for staff only.
func (v Verb) Internal() bool { return byVerb[v].Internal }

// Help says what a signal by hand does and carries, or where else to ask for the verb.
func (v Verb) Help() string { return cmp.Or(byVerb[v].Manual, needsPanel) }

// bySignal reports whether a signal by hand may carry the field.
func (v Verb) bySignal(name string) bool {
	return slices.ContainsFunc(byVerb[v].Fields, func(f Field) bool { return f.Name == name && f.Source != FromRequest })
}
