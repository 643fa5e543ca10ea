package desk_test

import (
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
)

// Names must not contain invisible characters, except where a script requires them.
func TestValidName(t *testing.T) {
	for name, valid := range map[string]bool{
		"Demo Customer": true, "Ж": true, "李": true, "O’Brien-Núñez, Jr.": true, "👩": true, "₿": true, "Zoë": true,
		strings.Repeat("ü", 200): true, strings.Repeat("ü", 201): false,
		"": false, " ": false, "\u00a0": false, "\u3000": false,
		"\u200b\u200b\u200b": false, "\u2800": false, "\u00ad": false, "\u3164": false, "\u115f\u1160": false, "\uffa0": false,
		"\ufe0f": false, "\u180e": false, "\U000e0041": false, "\u2060": false, "\ufeff": false, "\u034f": false, "\u0301": false,
		"An\u200bna": false, "Anna\u2800": false, "An\u00adna": false, "Anna\u3164": false, "An\u200dna": false, "An\u200cna": false,
		"Anna\ufe0f": false, "An\u034fna": false, "Anna\U000e0041": false, "An\u2060na": false, "\u200eAnna": false, "Anna\u061c": false,
		"An\nna": false, "An\tna": false, "An\u2028na": false, "\u202eannA": false, "An\x00na": false, "\xff": false,
		"علی\u200cرضا": true, "علی\u200c": false, "ශ්\u200dරී": true, "क्\u200dष": true, "क\u200dष": false,
		"葛\U000e0100城": true, "❤\ufe0f": true, "👩\u200d🚀": true, "👩\u200d": false, "👩\u200dA": false,
	} {
		if desk.ValidName(name) != valid {
			t.Errorf("%q (%+q): %t", name, name, !valid)
		}
	}
}

func TestCleanName_isValidAndKeepsWhatScriptsRequire(t *testing.T) {
	for name, want := range map[string]string{
		"Demo Customer": "Demo Customer", " Demo\t Customer\n": "Demo Customer", "\u202eannA": "annA", "An\u200bna \u2066X\u2069": "Anna X",
		"\u200eAnna": "Anna", "דנה\u200f": "דנה", "علی\u200cرضا": "علی\u200cرضا", "ශ්\u200dරී": "ශ්\u200dරී", "👩\u200d🚀": "👩\u200d🚀",
		"Anna\ufffd\x00": "Anna", "\u202e\u2800": "", "": "", "An\xffna": "Anna",
		strings.Repeat("ü", 201): strings.Repeat("ü", 199) + "…",
	} {
		if got := desk.CleanName(name); got != want || got != "" && !desk.ValidName(got) {
			t.Errorf("CleanName(%+q) = %+q, want %+q", name, got, want)
		}
	}
}

func TestValidAddress_refusesWhatMailServersRefuse(t *testing.T) {
	local, domain := strings.Repeat("a", 64), strings.Repeat("b", 60)+"."+strings.Repeat("c", 60)+"."+strings.Repeat("d", 60)
	for address, valid := range map[string]bool{
		"a@example.com": true, "a+b@example.com": true, "jörg@exämple.example": true, local + "@example.com": true, "a" + local + "@example.com": false,
		strings.Repeat("ü", 33) + "@example.com": false, local + "@" + domain + ".eee": true, local + "@" + domain + ".example": false,
		"": false, "a": false, "a@": false, "@example.com": false, "A <a@example.com>": false, "a@example.com ": false, "a@example.com, b@example.com": false,
		"\u202ea@example.com": false, "a\u200b@example.com": false, "a@ex\u00adample.com": false, "a@example.com\n": false, "a\u200f@example.com": false,
	} {
		if desk.ValidAddress(address) != valid {
			t.Errorf("%+q: %t", address, !valid)
		}
	}
}

func TestVisible(t *testing.T) {
	for text, visible := range map[string]bool{
		"a": true, ".": true, "👍": true, "\n\n7": true, "\u200b\u200e؟": true, "": false, " \n\t": false, "\u200b\u200b": false,
		"\u2800\u2800": false, "\u00ad": false, "\u3164 \u3164": false, "\ufe0f": false,
	} {
		if desk.Visible(text) != visible {
			t.Errorf("%+q: %t", text, !visible)
		}
	}
}
