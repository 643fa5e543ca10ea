package e2e_test

import (
	"bytes"
	"fmt"
	"net/smtp"
	"sync"
	"testing"

	"github.com/holesalemart/supportdesk/internal/postfixtest"
)

// crash is a way in which something ends while mail arrives.
type crash struct {
	name string
	kill func(*mailroom, *postfixtest.Server)
}

var crashes = []crash{
	{"the program", func(m *mailroom, _ *postfixtest.Server) {
		m.receiver.kill()
		m.expireClaims()
		m.receiver.start()
	}},
	{"Postfix's clients", func(_ *mailroom, p *postfixtest.Server) { p.Kill("lmtp") }},
	{"PostgreSQL", func(m *mailroom, _ *postfixtest.Server) {
		m.postgres.Kill()
		m.postgres.Restart()
	}},
	{"the program and PostgreSQL", func(m *mailroom, _ *postfixtest.Server) {
		m.postgres.Kill()
		m.receiver.kill()
		m.postgres.Restart()
		m.expireClaims()
		m.receiver.start()
	}},
	{"Postfix's queue manager", func(_ *mailroom, p *postfixtest.Server) { p.Kill("qmgr") }},
}

const (
	rounds   = 15 // each kills something
	perRound = 10 // mails
)

// batch returns the mails of a round: of several sizes, one like the one before it but for its Message-ID.
func batch(round int) (all []letter) {
	for i, size := range []struct {
		text  int
		files []int
	}{{text: 100}, {text: 2_000}, {text: 20_000}, {text: 100_000}, {text: 900_000}, {100, []int{0}}, {100, []int{1_000, 30_000}}, {20_000, []int{200_000}}, {100, []int{700_000}}} {
		all = append(all, newLetter(fmt.Sprintf("customer-%d-%d@client.example", round, i), size.text, size.files...))
	}
	return append(all, all[round%len(all)].again())
}

// post sends mails to Postfix, each with a connection of its own and the first of them twice, as a client does that has lost the
// answer. It returns how many it sent.
func post(t *testing.T, to string, letters []letter) (sent int, done *sync.WaitGroup) {
	done = &sync.WaitGroup{}
	for _, l := range append([]letter{letters[0]}, letters...) {
		sent++
		done.Go(func() {
			if err := smtp.SendMail(to, nil, l.from, []string{deskAddress}, l.raw); err != nil {
				t.Errorf("Postfix does not accept a mail: %v", err)
			}
		})
	}
	return sent, done
}

func TestIncomingMail_isNeitherLostNorDoubledWhenAnythingIsKilled(t *testing.T) {
	t.Parallel()
	m := openMailroom(t)
	postfix := postfixtest.Start(t, "desk.example", m.lmtp)
	var letters []letter
	sent := 0
	for round := range rounds {
		letters = append(letters, batch(round)...)
		n, posting := post(t, postfix.Addr, letters[len(letters)-perRound:])
		sent += n
		// Some of the round's mails are stored or even processed, and others are not.
		condition := []string{"", " WHERE status NOT IN ('received', 'duplicate')"}[round%2]
		before := max(0, m.count(`SELECT count(*) FROM incoming_mails`+condition))
		m.awaitCount("mails arrive", before+2, `SELECT count(*) FROM incoming_mails`+condition)
		crashes[round%len(crashes)].kill(m, postfix)
		posting.Wait()
	}
	eventually(t, "Postfix has delivered everything", func() (bool, string) {
		waiting := len(postfix.Queue())
		return waiting == 0, fmt.Sprint(waiting, " mails wait")
	})
	m.receiver.kill()
	m.expireClaims()
	m.receiver.start()
	m.awaitCount("every mail is processed", 1, `SELECT (count(*) = 0)::int FROM incoming_mails WHERE status = 'received'`)
	m.checkIncoming(letters)
	stored, answered := m.count(`SELECT count(*) FROM incoming_mails`), 0
	for _, times := range postfix.Sent() {
		answered += times
	}
	if ids := len(postfix.Sent()); ids != sent || answered > stored {
		t.Errorf("Postfix accepted %d mails and delivered %d; %d deliveries were accepted, and %d are stored", sent, ids, answered, stored)
	}
}

// checkIncoming checks that every mail is stored as it was sent, and that it became one message with its files.
func (m *mailroom) checkIncoming(letters []letter) {
	m.t.Helper()
	rows, duplicates := m.incoming()
	m.t.Logf("%d mails and %d duplicates are stored", len(rows), duplicates)
	if want := len(letters) / perRound; duplicates < want {
		m.t.Errorf("%d mails are duplicates, and at least %d were sent twice", duplicates, want)
	}
	want := map[string]int{}
	for _, l := range letters {
		want[l.token]++
		switch stored := rows[l.id]; {
		case len(stored) != 1:
			m.t.Errorf("mail %s is stored %d times", l.id, len(stored))
		case !bytes.HasSuffix(bytes.TrimSpace(stored[0].content), bytes.TrimSpace(l.raw)):
			m.t.Errorf("mail %s is not stored as it was sent: %d bytes of %d", l.id, len(stored[0].content), len(l.raw))
		case stored[0].status != "accepted":
			m.t.Errorf("mail %s is %s: %s", l.id, stored[0].status, stored[0].reason)
		}
	}
	if len(rows) != len(letters) {
		m.t.Errorf("%d mails are stored, and %d were sent", len(rows), len(letters))
	}
	found := m.messages()
	for token, n := range want {
		if found[token] != n {
			m.t.Errorf("%s is in %d messages, not %d", token, found[token], n)
		}
		delete(found, token)
	}
	if len(found) > 0 {
		m.t.Errorf("messages that no one sent: %v", found)
	}
}
