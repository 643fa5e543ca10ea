package ticket_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Every verb has what people, requests and signals need of it.
func TestDefinitions_areComplete(t *testing.T) {
	seen := map[ticket.Verb]bool{}
	for _, d := range ticket.Definitions() {
		if seen[d.Verb] || d.Label == "" || d.Done == "" || len(d.Roles) == 0 || len(d.Statuses) == 0 {
			t.Errorf("%q is there twice or incomplete: %+v", d.Verb, d)
		}
		seen[d.Verb] = true
		if byHand := slices.Contains(d.Roles, ticket.RoleOperator); byHand != (d.Manual != "") {
			t.Errorf("%s: operators may ask: %v, help for a signal: %q", d.Verb, byHand, d.Manual)
		}
		if slices.Contains(ticket.Signals(), d.Verb) == (d.Verb == ticket.VerbSubmit) {
			t.Errorf("%s is a signal, or is not, against the rule that all but the submission are", d.Verb)
		}
		if d.Verb.NeedsMessage() && d.Manual != "" {
			t.Errorf("%s can't be done by hand without words, and has help for it", d.Verb)
		}
	}
}

// TestSignals_areThoseOfTheGuide: the table in docs/temporal-ui.md names every verb that can be granted by hand, with the
// fields that it takes, and no other.
func TestSignals_areThoseOfTheGuide(t *testing.T) {
	guide, err := os.ReadFile("../../docs/temporal-ui.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(guide), "| signal | input | does |\n|---|---|---|\n")
	table, _, ends := strings.Cut(table, "\n\n")
	if !found || !ends {
		t.Fatal("the guide has no table of signals")
	}
	inputs := map[ticket.Verb]string{}
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		for _, named := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(cells[1], -1) {
			inputs[ticket.Verb(named[1])] = cells[2]
		}
	}
	for _, verb := range ticket.ManualVerbs() {
		input, known := inputs[verb]
		if delete(inputs, verb); !known {
			t.Errorf("the guide does not tell of %s", verb)
		}
		for _, f := range verb.Definition().Fields {
			if f.Required&ticket.FromSignal != 0 && !strings.Contains(input, `"`+f.Name+`"`) {
				t.Errorf("the guide does not say that %s needs %q: %s", verb, f.Name, input)
			}
		}
	}
	for verb := range inputs {
		t.Errorf("the guide names %s, which can't be granted by hand", verb)
	}
}
