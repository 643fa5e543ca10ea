package e2e_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/mail"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/blob"
	"github.com/holesalemart/supportdesk/internal/mailtest"
	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/store"
)

const deskAddress = "support@desk.example"

// mailroom is a desk that only receives mail: there is no Temporal server, no worker and no API.
type mailroom struct {
	*stack
	receiver *part
	lmtp     string // the address at which it accepts mail
	pool     *pgxpool.Pool
	blobs    *blob.Store
}

func openMailroom(t testing.TB, env ...string) *mailroom {
	t.Helper()
	m := &mailroom{stack: &stack{t: t, postgres: pgtest.Cluster(t)}, lmtp: freeAddress(t)}
	m.database = m.postgres.Database(t)
	dir := "file://" + t.TempDir()
	m.configure(freeAddress(t), append([]string{
		"SUPPORTDESK_BLOB_URL=" + dir,
		"SUPPORTDESK_MAIL_ADDRESSES=" + deskAddress, "SUPPORTDESK_INCOMING_LMTP_ADDRESS=" + m.lmtp,
		"SUPPORTDESK_AUTHSERV_ID=border.example", // senders are not verified here, which would need DNS
	}, env...))
	m.prepare()
	var err error
	if m.pool, err = pgxpool.New(t.Context(), m.database); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.pool.Close)
	if m.blobs, err = blob.Open(t.Context(), dir); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.blobs.Close() })
	m.receiver = m.program("mail")
	m.receiver.start()
	return m
}

// prepare migrates the database as the command migrate does, which needs Temporal, too.
func (m *mailroom) prepare() {
	m.t.Helper()
	if err := store.Migrate(m.t.Context(), m.database); err != nil {
		m.t.Fatal(err)
	}
	db, err := store.Open(m.t.Context(), m.database, store.Options{MaxConns: 2})
	if err != nil {
		m.t.Fatal(err)
	}
	defer db.Close()
	if _, _, err := app.PublishPolicy(m.t.Context(), db, policy.Holesalemart(), "a test", "to begin with"); err != nil {
		m.t.Fatal(err)
	}
}

// count returns a number from the database, and -1 while there is none because the server is away.
func (m *mailroom) count(query string, args ...any) (n int) {
	if err := m.pool.QueryRow(context.Background(), query, args...).Scan(&n); err != nil {
		return -1
	}
	return n
}

func (m *mailroom) awaitCount(what string, want int, query string, args ...any) {
	m.t.Helper()
	eventually(m.t, what, func() (bool, string) {
		n := m.count(query, args...)
		return n >= want, fmt.Sprint(n)
	})
}

// expireClaims ends the claims of attempts that died, as two minutes would.
func (m *mailroom) expireClaims() {
	m.t.Helper()
	eventually(m.t, "claims end", func() (bool, string) { // the first connections may be of a server that was killed
		_, err := m.pool.Exec(m.t.Context(), `UPDATE incoming_mails SET claimed_until = clock_timestamp() WHERE claimed_until IS NOT NULL`)
		return err == nil, fmt.Sprint(err)
	})
}

// incomingRow is a row of incoming_mails with its content.
type incomingRow struct {
	id             int64
	status, reason string
	content        []byte
}

// incoming returns the mails that are stored, by Message-ID, and the number of duplicates.
func (m *mailroom) incoming() (byID map[string][]incomingRow, duplicates int) {
	m.t.Helper()
	rows, _ := m.pool.Query(m.t.Context(), `SELECT id, status, reason, blob FROM incoming_mails ORDER BY id`)
	byID = map[string][]incomingRow{}
	var r incomingRow
	var key string
	_, err := pgx.ForEachRow(rows, []any{&r.id, &r.status, &r.reason, &key}, func() error {
		if r.status == "duplicate" {
			duplicates++
			return nil
		}
		content, _, err := m.blobs.Open(m.t.Context(), key)
		if err != nil {
			return fmt.Errorf("mail %d: %w", r.id, err)
		}
		defer content.Close()
		if r.content, err = io.ReadAll(content); err != nil {
			return err
		}
		parsed, err := mail.ReadMessage(bytes.NewReader(r.content))
		if err != nil {
			return fmt.Errorf("mail %d: %w", r.id, err)
		}
		id := parsed.Header.Get("Message-Id")
		byID[id] = append(byID[id], r)
		return nil
	})
	if err != nil {
		m.t.Fatal(err)
	}
	return byID, duplicates
}

var token = regexp.MustCompile(`token-[A-Z2-7]+`)

// messages returns how many messages there are with each token.
func (m *mailroom) messages() map[string]int {
	m.t.Helper()
	rows, _ := m.pool.Query(m.t.Context(), `SELECT body FROM messages`)
	bodies, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		m.t.Fatal(err)
	}
	found := map[string]int{}
	for _, body := range bodies {
		found[token.FindString(body)]++
	}
	return found
}

// letter is a mail that a test sends to the desk.
type letter struct {
	id, from, token string
	raw             []byte
}

// newLetter returns a mail with a file of a size, unless it is 0, and a text of another.
func newLetter(from string, text int, files ...int) letter {
	l := letter{from: from, token: "token-" + rand.Text()}
	var b strings.Builder
	fmt.Fprintf(&b, "From: A customer <%s>\r\nTo: %s\r\nSubject: My order\r\nDate: Mon, 23 Nov 2026 10:00:00 +0000\r\nMIME-Version: 1.0\r\n"+
		"Content-Type: multipart/mixed; boundary=limit\r\n\r\n--limit\r\nContent-Type: text/plain\r\n\r\nHello, this is %s.\r\n", from, deskAddress, l.token)
	for line := "These are words of a customer about an order that is late.\r\n"; text > 0; text -= len(line) {
		b.WriteString(line)
	}
	for i, size := range files {
		fmt.Fprintf(&b, "--limit\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=file-%d.bin\r\n"+
			"Content-Transfer-Encoding: base64\r\n\r\n", i)
		random := make([]byte, size)
		rand.Read(random)
		for encoded := base64.StdEncoding.EncodeToString(random); encoded != ""; {
			n := min(76, len(encoded))
			b.WriteString(encoded[:n] + "\r\n")
			encoded = encoded[n:]
		}
	}
	b.WriteString("--limit--\r\n")
	return l.identified(b.String())
}

// identified returns the letter with a content and a new Message-ID.
func (l letter) identified(content string) letter {
	l.id = "<" + rand.Text() + "@client.example>"
	l.raw = []byte("Message-ID: " + l.id + "\r\n" + content)
	return l
}

// again returns a letter that differs in nothing but its Message-ID.
func (l letter) again() letter {
	_, content, _ := strings.Cut(string(l.raw), "\r\n")
	return l.identified(content)
}

// deliver sends a mail to the desk by LMTP.
func (m *mailroom) deliver(l letter) {
	m.t.Helper()
	if err := m.send(l); err != nil {
		m.t.Fatal(err)
	}
}

func (m *mailroom) send(l letter) error { return l.sendTo(m.lmtp, patience) }

// sendTo sends the letter by LMTP, for as long as the sender waits.
func (l letter) sendTo(lmtp string, wait time.Duration) error {
	conn, err := net.DialTimeout("tcp", lmtp, wait)
	if err != nil {
		return err
	}
	client := smtp.NewClientLMTP(conn)
	client.CommandTimeout, client.SubmissionTimeout = wait, wait
	defer client.Close()
	if err := client.Hello("border.example"); err != nil {
		return err
	}
	return client.SendMail(l.from, []string{deskAddress}, bytes.NewReader(l.raw))
}

// addMailroom has a desk receive mail.
func (s *stack) addMailroom() *mailroom {
	s.t.Helper()
	m := &mailroom{stack: s, lmtp: freeAddress(s.t), pool: s.pool()}
	m.receiver = s.program("mail", "SUPPORTDESK_MAIL_ADDRESSES="+deskAddress, "SUPPORTDESK_INCOMING_LMTP_ADDRESS="+m.lmtp,
		"SUPPORTDESK_AUTHSERV_ID=border.example")
	m.receiver.start()
	m.awaitOpen()
	return m
}

// open has a customer open a ticket by mail, and returns its number and the Message-ID of the receipt.
func (m *mailroom) open(l letter) (number, receipt string) {
	m.t.Helper()
	m.deliver(l)
	sent := m.mails.Wait(m.t, func(s mailtest.Message) bool { return s.To[0] == l.from })
	err := m.pool.QueryRow(m.t.Context(), `SELECT ticket FROM messages WHERE body LIKE '%' || $1 || '%'`, l.token).Scan(&number)
	if err != nil {
		m.t.Fatal(err)
	}
	return number, sent.MessageID
}

// inReplyTo returns the letter as an answer to a mail.
func (l letter) inReplyTo(id string) letter {
	l.raw = append([]byte("In-Reply-To: <"+id+">\r\n"), l.raw...)
	return l
}

// quarantine has the desk receive a mail that fails what its sender's domain publishes.
func (s *stack) quarantine() {
	s.t.Helper()
	m := s.addMailroom()
	forged := newLetter("forged@client.example", 100, 100)
	forged.raw = append([]byte("Authentication-Results: border.example; dmarc=fail header.from=client.example\r\n"+
		"Received: from mx.client.example by border.example; Mon, 23 Nov 2026 10:00:00 +0000\r\n"), forged.raw...)
	m.deliver(forged)
	s.awaitCount(m.pool, "a mail is in quarantine", 1, 1, `SELECT count(*) FROM incoming_mails WHERE status = 'quarantined'`)
}

// awaitOpen waits until the desk accepts connections of mail servers.
func (m *mailroom) awaitOpen() {
	m.t.Helper()
	eventually(m.t, "the desk accepts mail", func() (bool, string) {
		conn, err := net.Dial("tcp", m.lmtp)
		if err != nil {
			return false, err.Error()
		}
		return conn.Close() == nil, ""
	})
}
