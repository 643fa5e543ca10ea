package trust_test

import (
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/inbound/trust"
)

// The address that is believed is the one that everybody reads, or none.
func TestResults_readOneAuthor(t *testing.T) {
	for from, want := range map[string]string{
		"a@evil.example":                                                "a@evil.example",
		"<a@evil.example>":                                              "a@evil.example",
		"A@EVIL.example":                                                "A@evil.example",
		`"Bank" <a@evil.example>`:                                       "a@evil.example",
		"service@bank.example.evil.example":                             "service@bank.example.evil.example",
		`"service@bank.example" <a@evil.example>`:                       "a@evil.example",
		`"a, b" <a@evil.example>`:                                       "a@evil.example",
		"=?utf-8?q?service=40bank.example?= <a@evil.example>":           "a@evil.example",
		"=?x-unknown?b?c2VydmljZUBiYW5rLmV4YW1wbGU=?= <a@evil.example>": "a@evil.example",
		"M\xfcller, Hans <a@evil.example>":                              "a@evil.example",
		"Müller; Hans: (x <a@evil.example>":                             "a@evil.example",
		"Bank\r\n <a@evil.example>":                                     "a@evil.example",
		"a@b\xc3\xbccher.example":                                       "a@xn--bcher-kva.example",
		"a@evil.example (service)":                                      "a@evil.example",

		"service@bank.example, a@evil.example":       "",
		"service@bank.example <a@evil.example>":      "",
		"<service@bank.example> <a@evil.example>":    "",
		"<service@bank.example <a@evil.example>>":    "",
		"Bank <service@bank.example> a@evil.example": "",
		"Bank <a@evil.example\x01>":                  "",
		"a@[192.0.2.1]":                              "",
		"a@":                                         "",
		"@bank.example":                              "",
		"x: service@bank.example, a@evil.example;":   "",
		"a@evil_example\x7f":                         "",
		"(service@bank.example":                      "",
	} {
		r := check(t, world(), sent(evilIP, "a@evil.example", letter(from, "")))
		if r.Address != want || (want == "") != (r.Verdict == trust.Ambiguous) {
			t.Errorf("%q: %+v, want %q", from, r, want)
		}
	}
}

func TestResults_refuseAuthorsThatProgramsReadDifferently(t *testing.T) {
	signed := sign(t, "bank.example", letter(bank, ""))
	for name, raw := range map[string]string{
		"two fields, the signed one last":  "From: " + evil + "\r\n" + signed,
		"two fields, the signed one first": strings.Replace(signed, "\r\nTo:", "\r\nFrom: "+evil+"\r\nTo:", 1),
		"two fields, one spelled oddly":    "fRoM : " + evil + "\r\n" + signed,
		"a bare carriage return":           "X: y\rFrom: " + evil + "\r\n" + signed,
		"a NUL":                            "X: \x00\r\n" + signed,
		"many fields":                      strings.Repeat("X: y\r\n", 1000) + signed,
		"a long line":                      "X: " + strings.Repeat("y", 300<<10) + "\r\n" + signed,
		"many lines":                       "X: y\r\n" + strings.Repeat(" "+strings.Repeat("y", 70)+"\r\n", 5000) + signed,
		"no end":                           strings.Repeat("y", 1<<20),
	} {
		if r := check(t, world(), sent(bankIP, "a@bank.example", raw)); r.Verdict != trust.Ambiguous || r.SPF != trust.None {
			t.Errorf("%s: %+v", name, r)
		}
	}
	m := sent(bankIP, "a@bank.example", signed)
	m.From = "service@evil.example"
	if r := check(t, world(), m); r.Verdict != trust.Ambiguous {
		t.Errorf("another address is read elsewhere: %+v", r)
	}
	m = sent(bankIP, "a@bank.example", signed)
	m.From = "SERVICE@Bank.example"
	if r := check(t, world(), m); r.Verdict != trust.Authentic {
		t.Errorf("the same address is read elsewhere: %+v", r)
	}
	m = sent(bankIP, "a@bank.example", letter("", ""))
	m.From = "service@bank.example"
	if r := check(t, world(), m); r.Verdict != trust.Ambiguous {
		t.Errorf("an address is read elsewhere: %+v", r)
	}
}

func TestResults_readMailsOfAnyForm(t *testing.T) {
	for name, raw := range map[string]string{
		"nothing": "", "no header": "\r\n\r\nwords", "no body": "From: a@evil.example", "no end of the header": "From: a@evil.example\r\n",
		"an mbox": "From MAILER-DAEMON Mon Nov 23 10:00:00 2026\n" + letter(evil, ""), "newlines": strings.ReplaceAll(letter(evil, ""), "\r\n", "\n"),
		"a folded start": " x\r\n" + letter(evil, ""), "a broken signature": letter(evil, "DKIM-Signature: x\r\nDKIM-Signature:\r\nDKIM-Signature: ;;==;v=1\r\n"),
		"many names": letter(evil, "DKIM-Signature: v=1; h="+strings.Repeat("from:", 300)+"\r\n"), "a long signature": letter(evil, "DKIM-Signature: "+strings.Repeat("x", 9000)+"\r\n"),
	} {
		r := check(t, world(), sent(evilIP, "a@evil.example", raw))
		if want := strings.Contains(raw, "evil.example"); (r.Verdict == trust.Authentic) != want || r.DKIM == trust.Pass {
			t.Errorf("%s: %+v", name, r)
		}
	}
	signed := strings.ReplaceAll(sign(t, "bank.example", letter(bank, "")), "\r\n", "\n")
	if r := check(t, world(), sent(otherIP, "", signed)); r.DKIM != trust.Pass {
		t.Errorf("a signed mail with newlines: %+v", r)
	}
}

// A mail is verified as it is read, whatever is in it, and with any number of signatures.
func TestResults_needLittleMemory(t *testing.T) {
	short := sign(t, "bank.example", sign(t, "evil.example", letter(bank, "")))
	head, _, _ := strings.Cut(short, "\r\n\r\n")
	for name, line := range map[string]string{"words": strings.Repeat("words ", 12) + "\r\n", "empty lines": "\r\n", "spaces": " \r\n", "one line": "xxxxxxxx", "newlines": "\n"} {
		raw := io.MultiReader(strings.NewReader(head+"\r\n\r\n"), &repeated{line, 16 << 20 / len(line)})
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		m := sent(evilIP, "a@evil.example", "")
		m.Raw = raw
		if r := check(t, world(), m); r.DKIM == trust.Pass || r.Verdict != trust.Forged {
			t.Errorf("%s: %+v", name, r)
		}
		runtime.ReadMemStats(&after)
		if grown := int64(after.HeapSys) - int64(before.HeapSys); grown > 12<<20 {
			t.Errorf("%s: the heap has grown by %d bytes", name, grown)
		}
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 1<<30 {
			t.Errorf("%s: %d bytes were allocated", name, allocated)
		}
	}
}

// repeated is a text n times.
type repeated struct {
	text string
	n    int
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.n == 0 {
		return 0, io.EOF
	}
	n := 0
	for r.n > 0 && n+len(r.text) <= len(p) {
		n += copy(p[n:], r.text)
		r.n--
	}
	return n, nil
}

func TestResults_failWithTheReaderOnly(t *testing.T) {
	broken := errors.New("the disk is away")
	for _, signatures := range []int{1, 3} {
		mail := letter(bank, "")
		for range signatures {
			mail = sign(t, "bank.example", mail)
		}
		before := runtime.NumGoroutine()
		for _, cut := range []int{0, 10, len(mail) - 5} {
			m := sent(evilIP, "", "")
			m.Raw = io.MultiReader(strings.NewReader(mail[:cut]), failing{broken})
			if _, err := trust.New(trust.Options{Resolver: world()}).Results(t.Context(), m); !errors.Is(err, broken) {
				t.Errorf("%d signatures, cut at %d: %v", signatures, cut, err)
			}
		}
		for deadline := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d goroutines are left", runtime.NumGoroutine()-before)
			}
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
