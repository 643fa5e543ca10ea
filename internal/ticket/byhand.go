package ticket

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// ManualCommand is a signal that did not come through the API: it has no number yet and names nobody. A step gives it
// one, so that it becomes a command like any other.
type ManualCommand struct {
	Key       string          `json:"key"` // the same for every delivery of one signal
	Run       string          `json:"run"` // the workflow's run that heard it: another one after a reset
	Verb      Verb            `json:"verb"`
	Malformed bool            `json:"malformed,omitempty"` // it can't be read; it is to be refused
	Agent     string          `json:"agent,omitempty"`     // handle or ID
	Priority  policy.Priority `json:"priority,omitempty"`
	Category  string          `json:"category,omitempty"`
	Emergency string          `json:"emergency,omitempty"`
	Extension time.Duration   `json:"extension,omitempty"`
	Policy    int64           `json:"policy,omitempty"`
	Until     time.Time       `json:"until,omitzero"`
}

// ManualOutcome is what the ticket made of one ManualCommand.
type ManualOutcome struct {
	Key     string `json:"key"`
	Refused bool   `json:"refused,omitempty"`
	Code    string `json:"code,omitempty"` // of the refusal
}

// ManualVerbs lists the verbs that can be granted by hand. The others need words, or their requester or panel.
func ManualVerbs() []Verb {
	return slices.DeleteFunc(Signals(), func(v Verb) bool { return byVerb[v].Manual == "" })
}

// MissingRoster names the field, or the several, without which the verb means nothing; empty: none is missing.
func (h ManualCommand) MissingField() string {
	d, set := byVerb[h.Verb], h.fields()
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

// The fields of a signal by hand, by their names in its payload.
const (
	fieldAgent     = "agent"
	fieldPriority  = "priority"
	fieldCategory  = "category"
	fieldEmergency = "emergency"
	fieldSeconds   = "seconds"
	fieldPolicy    = "policy"
	fieldUntil     = "until"
)

// maxManualText is in bytes; nothing that a signal by hand names is longer.
const maxManualText = 200

// Checked returns the signal, or, if it can't mean anything, one that is to be refused and carries nothing: it has a field
// that its verb doesn't take, or text that can't be stored.
func (h ManualCommand) Checked() ManualCommand {
	if h.Malformed || !h.readable() {
		return ManualCommand{Key: h.Key, Run: h.Run, Verb: h.Verb, Malformed: true}
	}
	return h
}

func (h ManualCommand) readable() bool {
	for _, field := range h.fields() {
		if !h.Verb.bySignal(field) {
			return false
		}
	}
	if h.Priority != "" && !h.Priority.Valid() || h.Policy < 0 || h.Extension < 0 {
		return false
	}
	for _, text := range []string{h.Agent, h.Category, h.Emergency} {
		if len(text) > maxManualText || strings.ContainsRune(text, 0) || !utf8.ValidString(text) {
			return false
		}
	}
	return true
}

// fields names those that are set.
func (h ManualCommand) fields() []string {
	var set []string
	for _, f := range []struct {
		name string
		is   bool
	}{
		{fieldAgent, h.Agent != ""}, {fieldPriority, h.Priority != ""}, {fieldCategory, h.Category != ""},
		{fieldEmergency, h.Emergency != ""}, {fieldSeconds, h.Extension != 0}, {fieldPolicy, h.Policy != 0},
		{fieldUntil, !h.Until.IsZero()},
	} {
		if f.is {
			set = append(set, f.name)
		}
	}
	return set
}
