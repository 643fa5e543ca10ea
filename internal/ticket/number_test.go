package ticket_test

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var (
	numberPattern   = regexp.MustCompile(`^[A-Z0-9]{1,8}-[0-9A-HJKMNP-TV-Z]{10}$`)
	personIDPattern = regexp.MustCompile(`^P-[0-9A-HJKMNP-TV-Z]{10}$`)
)

func TestParseNumber_readsWhatPeopleType(t *testing.T) {
	cases := map[string]ticket.Number{
		"HM-7Q2K9XM4TD":       "HM-7Q2K9XM4TD",
		"hm-7q2k9xm4td":       "HM-7Q2K9XM4TD",
		" HM-7Q2K9XM4TD\r\n":  "HM-7Q2K9XM4TD",
		"HM-ilo0000000":       "HM-1100000000",
		"OIL-OIL0000000":      "OIL-0110000000", // a prefix is taken at its letters
		"A-0000000000":        "A-0000000000",
		"ABCDEFGH-ZZZZZZZZZZ": "ABCDEFGH-ZZZZZZZZZZ",
		"":                    "", "-": "", "HM": "", "HM-": "", "7Q2K9XM4TD": "",
		"-7Q2K9XM4TD":           "",
		"HM-7Q2K9XM4T":          "", // too short
		"HM-7Q2K9XM4TDD":        "", // too long
		"HM-7Q2K9XM4TU":         "", // no U in Crockford's base 32
		"HM-7Q2K 9XM4T":         "",
		"HM-7Q2K*9XM4T":         "",
		"HM-7Q2K-9XM4T":         "",
		"HM--7Q2K9XM4T":         "",
		"HM 7Q2K9XM4TD":         "",
		"H_-7Q2K9XM4TD":         "",
		"ABCDEFGHI-7Q2K9XM4TD":  "", // the prefix is too long
		"ÄB-7Q2K9XM4TD":         "",
		"HM-7Q2K9XM4é":          "", // ten bytes, nine characters
		"HM-7Q2K9XM4\xff\xff":   "",
		"HM-7Q2K9XM4T\x00":      "",
		"../-7Q2K9XM4TD":        "",
		"HM-7Q2K9XM4TD; DROP--": "",
	}
	for typed, want := range cases {
		got, err := ticket.ParseNumber(typed)
		if got != want {
			t.Errorf("%q is read as %q, want %q", typed, got, want)
		}
		if (err == nil) != (want != "") || err != nil && fault.KindOf(err) != fault.NotFound {
			t.Errorf("%q is answered with %v", typed, err)
		}
	}
}

func TestReadNumber_readsAnySpelling(t *testing.T) {
	for typed, want := range map[string]ticket.Number{
		"7Q2K9XM4TD": "SOS-7Q2K9XM4TD", "sos7q2k9xm4td": "SOS-7Q2K9XM4TD", "s0s 7q2k 9xm4 td": "SOS-7Q2K9XM4TD",
		"SOS—7Q2K9XM4TD": "SOS-7Q2K9XM4TD", "0l00000000": "SOS-0100000000", "OLD-7Q2K9XM4TD": "OLD-7Q2K9XM4TD",
		"SOS0000000":  "SOS-S0S0000000", // ten characters are a number, whatever they begin with
		"SOS-0000000": "", "SOS": "", "": "", "\xff": "", "7Q2K9XM4TÄ": "", strings.Repeat("0", 5000): "",
	} {
		got, err := ticket.ReadNumber("SOS", typed)
		if got != want || (err == nil) != (want != "") || err != nil && fault.KindOf(err) != fault.Invalid {
			t.Errorf("%.40q is read as %q: %v", typed, got, err)
		}
	}
}

func TestNewNumber_isParsedInAnySpelling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		prefix := rapid.StringMatching(`[A-Z0-9]{1,8}`).Draw(t, "prefix")
		n := ticket.NewNumber(prefix)
		if !ticket.ValidPrefix(prefix) || !numberPattern.MatchString(string(n)) {
			t.Fatalf("%q makes the number %q", prefix, n)
		}
		typed := []rune(string(n))
		for i := range typed {
			typed[i] = retype(typed[i], i > len(prefix), rapid.IntRange(0, 3).Draw(t, "as"))
		}
		if got, err := ticket.ParseNumber(" " + string(typed) + "\t"); got != n || err != nil {
			t.Fatalf("%s, typed as %q, is read as %q: %v", n, string(typed), got, err)
		}
	})
}

// retype replaces a character by one that looks alike or has another case.
func retype(r rune, inCode bool, as int) rune {
	switch {
	case as == 0:
		return r
	case inCode && as > 1 && r == '1':
		return rune("IilL"[as])
	case inCode && as > 1 && r == '0':
		return rune("OoOo"[as])
	default:
		return []rune(strings.ToLower(string(r)))[0]
	}
}

// Adjacent characters take most of their 1,024 pairs of values, so none determines another.
func TestNewPersonID_drawsAllFiftyBits(t *testing.T) {
	const draws, mostPairs = 4000, 900 // some 1,003 are to be expected
	seen := map[string]bool{}
	pairs := [10]map[string]bool{}
	for range draws {
		id := string(ticket.NewPersonID())
		if !personIDPattern.MatchString(id) || seen[id] {
			t.Fatalf("%q is no new ID", id)
		}
		seen[id] = true
		for i := range pairs {
			if pairs[i] == nil {
				pairs[i] = map[string]bool{}
			}
			pairs[i][string([]byte{id[2+i], id[2+(i+1)%10]})] = true
		}
	}
	for i, pairs := range pairs {
		if len(pairs) < mostPairs {
			t.Errorf("place %d and the next take %d pairs", i, len(pairs))
		}
	}
}

func TestValidPrefix(t *testing.T) {
	for prefix, want := range map[string]bool{
		"HM": true, "A": true, "9": true, "ABCDEFGH": true, "": false, "ABCDEFGHI": false, "hm": false, "H-M": false,
		"H M": false, "HÄ": false, "H\x00": false, "H/M": false,
	} {
		if got := ticket.ValidPrefix(prefix); got != want {
			t.Errorf("ValidPrefix(%q) = %v", prefix, got)
		}
	}
}

// A parsed number has the canonical form and parses to itself.
func FuzzParseNumber(f *testing.F) {
	for _, typed := range []string{"HM-7Q2K9XM4TD", "hm-ilo0000000", "ſ-ſſſſſ", "ı-ıııııııııı", "P-\xff", "A-B-C", "HM-７Q2K9XM4TD"} {
		f.Add(typed)
	}
	f.Fuzz(func(t *testing.T, typed string) {
		n, err := ticket.ParseNumber(typed)
		if err != nil {
			if n != "" || fault.KindOf(err) != fault.NotFound {
				t.Fatalf("%q is refused with %q and %v", typed, n, err)
			}
			return
		}
		if !numberPattern.MatchString(string(n)) {
			t.Fatalf("%q is read as %q", typed, n)
		}
		if again, err := ticket.ParseNumber(string(n)); again != n || err != nil {
			t.Fatalf("%q reads back as %q: %v", n, again, err)
		}
	})
}
