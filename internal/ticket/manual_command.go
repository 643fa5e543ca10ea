package ticket

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// ManualCommand is a command sent as a signal or an update from Temporal UI. It has no number and its sender is unknown.
// The step that takes it assigns a number, after which it is a command like any other.
type ManualCommand struct {
	Key       string          `json:"key"` // identifies the signal or update, and is the same for every delivery of it
	Run       string          `json:"run"` // ID of the run that received it; a reset starts another run
	Verb      Verb            `json:"verb"`
	Malformed bool            `json:"malformed,omitempty"` // refuse it
	Agent     string          `json:"agent,omitempty"`     // handle or ID
	Priority  policy.Priority `json:"priority,omitempty"`
	Category  string          `json:"category,omitempty"`
	Emergency string          `json:"emergency,omitempty"`
	Extension time.Duration   `json:"extension,omitempty"`
	Policy    int64           `json:"policy,omitempty"`
	Until     time.Time       `json:"until,omitzero"`
}

// ManualOutcome is the outcome of a ManualCommand.
type ManualOutcome struct {
	Key     string `json:"key"`
	Refused bool   `json:"refused,omitempty"`
	Code    string `json:"code,omitempty"` // of a refusal
}

// ManualVerbs returns the verbs that can be manual commands. The others need a message, the requester or a mail to choose.
func ManualVerbs() []Verb {
	return slices.DeleteFunc(Signals(), func(v Verb) bool { return byVerb[v].Manual == "" })
}

// MissingField returns the name of a required field that is not set, or of several fields of which one is required, joined
// by "or". It returns an empty string if none is missing.
func (c ManualCommand) MissingField() string {
	d, set := byVerb[c.Verb], c.fields()
	for _, f := range d.Fields {
		if f.Required&FromSignal != 0 && !slices.Contains(set, f.Name) {
			return f.Name
		}
	}
	if len(d.OneOf) > 0 && !slices.ContainsFunc(d.OneOf, func(name string) bool { return slices.Contains(set, name) }) {
		return strings.Join(d.OneOf, " or ")
	}
	return ""
}

// The names of the fields of manual commands in their payloads.
const (
	fieldAgent     = "agent"
	fieldPriority  = "priority"
	fieldCategory  = "category"
	fieldEmergency = "emergency"
	fieldSeconds   = "seconds"
	fieldPolicy    = "policy"
	fieldUntil     = "until"
)

// maxManualText is the maximum length of a text field of a manual command, in bytes.
const maxManualText = 200

// Checked returns the command itself if it is well-formed. Otherwise, if a field is not one of its verb or has a value that
// can't be stored, it returns a malformed command without fields, to be refused.
func (c ManualCommand) Checked() ManualCommand {
	if c.Malformed || !c.readable() {
		return ManualCommand{Key: c.Key, Run: c.Run, Verb: c.Verb, Malformed: true}
	}
	return c
}

// readable reports whether the command has only fields of its verb, with valid values.
func (c ManualCommand) readable() bool {
	for _, field := range c.fields() {
		if !c.Verb.acceptedInSignal(field) {
			return false
		}
	}
	if c.Priority != "" && !c.Priority.Valid() || c.Policy < 0 || c.Extension < 0 {
		return false
	}
	for _, text := range []string{c.Agent, c.Category, c.Emergency} {
		if len(text) > maxManualText || strings.ContainsRune(text, 0) || !utf8.ValidString(text) {
			return false
		}
	}
	return true
}

// fields returns the names of the fields that are set.
func (c ManualCommand) fields() []string {
	var set []string
	for _, f := range []struct {
		name string
		is   bool
	}{
		{fieldAgent, c.Agent != ""}, {fieldPriority, c.Priority != ""}, {fieldCategory, c.Category != ""},
		{fieldEmergency, c.Emergency != ""}, {fieldSeconds, c.Extension != 0}, {fieldPolicy, c.Policy != 0},
		{fieldUntil, !c.Until.IsZero()},
	} {
		if f.is {
			set = append(set, f.name)
		}
	}
	return set
}
