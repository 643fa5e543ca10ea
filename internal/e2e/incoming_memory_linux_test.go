package e2e_test

import (
	"bytes"
	"fmt"
	"os"
	"testing"
)

// memory returns a line of a program's status in the kernel, in KiB.
func (p *part) memory(name string) (kib int) {
	p.stack.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.process.PID()))
	if err != nil {
		p.stack.t.Fatal(err)
	}
	_, value, _ := bytes.Cut(text, []byte("\n"+name+":"))
	if _, err := fmt.Sscan(string(value), &kib); err != nil {
		p.stack.t.Fatalf("%s: %v", name, err)
	}
	return kib
}

func TestIncomingMail_ofTheMaximumSizeNeedsLittleMemory(t *testing.T) {
	t.Parallel()
	// What is promised is 60 MB. A mail that is passed on in pieces needs less than its own size, and one that is in memory as a
	// whole needs more.
	const most = 24 << 10 // KiB
	for name, l := range map[string]letter{
		"files": newLetter("customer@client.example", 100, 9<<20, 9<<20),
		"text":  newLetter("customer@client.example", 25<<20),
	} {
		t.Run(name, func(t *testing.T) {
			m := openMailroom(t)
			m.awaitOpen()
			m.deliver(newLetter("first@client.example", 100, 1000))
			const processed = `SELECT count(*) FROM incoming_mails WHERE status = 'accepted'`
			m.awaitCount("the first mail is processed", 1, processed)
			rest := m.receiver.memory("VmRSS")
			m.deliver(l)
			m.awaitCount("the large mail is processed", 2, processed)
			highest := m.receiver.memory("VmHWM")
			t.Logf("%d bytes: %d KiB at rest, %d KiB at most", len(l.raw), rest, highest)
			if highest-rest > most {
				t.Errorf("a mail of %d bytes needs %d KiB of memory, more than %d", len(l.raw), highest-rest, most)
			}
		})
	}
}
