package store_test

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/link"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// incoming returns a mail from a sender whose content is identified by n.
func incoming(n int, from string) desk.IncomingMail {
	sum := sha256.Sum256(fmt.Appendf(nil, "mail %d", n))
	return desk.IncomingMail{
		Envelope: desk.Envelope{Source: desk.SourceLMTP, ReturnPath: from, Recipients: []string{"support@example.com"}},
		Blob:     fmt.Sprintf("blob-%d-%d", n, time.Now().UnixNano()), Size: 10, Fingerprint: sum[:],
	}
}

func (d *fixture) receive(m desk.IncomingMail) int64 {
	d.t.Helper()
	id, err := d.AddIncoming(d.t.Context(), m)
	if err != nil {
		d.t.Fatal(err)
	}
	return id
}

// claim claims the next mail; its ID is 0 if there is none.
func (d *fixture) claim(attempt string) desk.IncomingMail {
	d.t.Helper()
	m, _, err := d.ClaimIncoming(d.t.Context(), attempt, time.Minute)
	if err != nil {
		d.t.Fatal(err)
	}
	return m
}

func TestIncoming_theSameMailAgainIsADuplicate(t *testing.T) {
	t.Parallel()
	d := open(t)
	var group sync.WaitGroup
	ids := make([]int64, 8)
	for i := range ids {
		group.Go(func() { ids[i] = d.receive(incoming(1, "ann@example.com")) })
	}
	group.Wait()
	first := d.claim("a")
	if first.ID == 0 || d.claim("b").ID != 0 {
		t.Fatalf("first %d, and another is claimed", first.ID)
	}
	for _, id := range ids {
		m, err := d.Incoming(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if want := map[bool]desk.IncomingStatus{true: desk.IncomingReceived, false: desk.IncomingDuplicate}[id == first.ID]; m.Status != want {
			t.Errorf("mail %d is %s", id, m.Status)
		}
	}
	if err := d.SettleIncoming(t.Context(), first.ID, "a", desk.IncomingResult{Status: desk.IncomingRecorded}); err != nil {
		t.Fatal(err)
	}
	if again := d.receive(incoming(1, "ann@example.com")); d.claim("c").ID == again {
		t.Error("the mail is processed again after it was settled")
	}
}

func TestIncoming_mailsOfASenderAreProcessedOneAfterTheOther(t *testing.T) {
	t.Parallel()
	d := open(t)
	a1, a2 := d.receive(incoming(1, "ann@example.com")), d.receive(incoming(2, "ann@example.com"))
	b1 := d.receive(incoming(3, "bob@example.com"))
	claimed := []int64{d.claim("1").ID, d.claim("2").ID, d.claim("3").ID}
	if !slices.Equal(claimed, []int64{a1, b1, 0}) {
		t.Fatalf("claimed %v, want %v", claimed, []int64{a1, b1, 0})
	}
	if err := d.DeferIncoming(t.Context(), a1, "1", false, time.Hour, "it is not due"); err != nil {
		t.Fatal(err)
	}
	if id := d.claim("4").ID; id != a2 {
		t.Errorf("a mail that is deferred holds up the next of its sender: claimed %d", id)
	}
}

func TestIncoming_mailsToATicketAreProcessedOneAfterTheOther(t *testing.T) {
	t.Parallel()
	d := open(t)
	reply := func(n int, from string, about ticket.Number) int64 {
		token, err := d.ReplyToken(t.Context(), desk.ReplyTo{Number: about, Person: d.customer.ID}, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		m := incoming(n, from)
		m.Recipients = append(m.Recipients, "support+"+token+"@example.com")
		return d.receive(m)
	}
	a1, b1 := reply(1, "ann@example.com", "HM-0000000001"), reply(2, "bob@example.com", "HM-0000000001")
	c1 := reply(3, "cid@example.com", "HM-0000000002")
	claimed := []int64{d.claim("1").ID, d.claim("2").ID, d.claim("3").ID}
	if !slices.Equal(claimed, []int64{a1, c1, 0}) {
		t.Fatalf("claimed %v, want %v", claimed, []int64{a1, c1, 0})
	}
	if err := d.SettleIncoming(t.Context(), a1, "1", desk.IncomingResult{Status: desk.IncomingRecorded}); err != nil {
		t.Fatal(err)
	}
	if id := d.claim("4").ID; id != b1 {
		t.Errorf("claimed %d after it, want %d", id, b1)
	}
}

// A relay, a forwarder or a mailing list is the envelope sender of many people's mails.
func TestIncoming_anAnswerDoesNotWaitForTheOtherMailsOfItsEnvelopeSender(t *testing.T) {
	t.Parallel()
	d := open(t)
	const relay = "bounces@relay.example"
	token, err := d.ReplyToken(t.Context(), desk.ReplyTo{Number: "HM-0000000001", Person: d.customer.ID}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	secret, err := d.Secret(t.Context(), "message-ids")
	if err != nil {
		t.Fatal(err)
	}
	proven := "hm-0000000003.1." + link.MessageIDMAC(secret, "HM-0000000003", 1, 0) + "@desk.example"
	guessed := "hm-0000000004.1." + link.MessageIDMAC([]byte("another secret"), "HM-0000000004", 1, 0) + "@desk.example"
	first := d.receive(incoming(1, relay))
	for n := range 50 {
		d.receive(incoming(100+n, relay))
	}
	envelope, header, answer, guess := incoming(2, relay), incoming(3, relay), incoming(4, relay), incoming(5, relay)
	envelope.Recipients = append(envelope.Recipients, "support+"+token+"@example.com")
	other, err := d.ReplyToken(t.Context(), desk.ReplyTo{Number: "HM-0000000002", Person: d.customer.ID}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	header.Answers = []string{"support+tag@example.com", "support+" + other + "@example.com", proven}
	answer.Answers, guess.Answers = []string{"1@client.example", proven, guessed}, []string{guessed}
	want := []int64{first, d.receive(envelope), d.receive(header), d.receive(answer)}
	again := incoming(6, "someone@else.example")
	again.Answers = []string{proven} // waits for the one before it
	d.receive(again)
	d.receive(guess)
	stranger := d.receive(incoming(7, "stranger@elsewhere.example")) // who waits for none of them
	want = append(want, stranger, 0)
	var claimed []int64
	for i := range want {
		claimed = append(claimed, d.claim(fmt.Sprint(i)).ID)
	}
	if !slices.Equal(claimed, want) {
		t.Errorf("claimed %v, want %v", claimed, want)
	}
}

func TestIncoming_deferredMailsComeAfterTheOthers(t *testing.T) {
	t.Parallel()
	d := open(t)
	deferred := d.receive(incoming(1, "flood@example.com"))
	d.claim("1")
	if err := d.DeferIncoming(t.Context(), deferred, "1", false, 0, "it is not due"); err != nil {
		t.Fatal(err)
	}
	fresh := d.receive(incoming(2, "ann@example.com"))
	if claimed := []int64{d.claim("2").ID, d.claim("3").ID}; !slices.Equal(claimed, []int64{fresh, deferred}) {
		t.Errorf("claimed %v, want %v", claimed, []int64{fresh, deferred})
	}
}

func TestIncoming_anAttemptThatDiedCountsAndItsClaimEnds(t *testing.T) {
	t.Parallel()
	d := open(t)
	id := d.receive(incoming(1, "ann@example.com"))
	if _, _, err := d.ClaimIncoming(t.Context(), "dead", -time.Second); err != nil {
		t.Fatal(err)
	}
	m := d.claim("next")
	if m.ID != id || m.Attempts != 2 {
		t.Fatalf("claimed %d at attempt %d", m.ID, m.Attempts)
	}
	for name, err := range map[string]error{
		"renew":  d.RenewIncoming(t.Context(), id, "dead", time.Minute),
		"settle": d.SettleIncoming(t.Context(), id, "dead", desk.IncomingResult{Status: desk.IncomingRecorded}),
		"defer":  d.DeferIncoming(t.Context(), id, "dead", true, 0, "it is not due"),
	} {
		if fault.KindOf(err) != fault.Conflict {
			t.Errorf("%s by the dead attempt: %v", name, err)
		}
	}
	if err := d.DeferIncoming(t.Context(), id, "next", false, 0, "it is not due"); err != nil {
		t.Fatal(err)
	}
	if m := d.claim("third"); m.Attempts != 2 {
		t.Errorf("an attempt that failed because of a neighbour counts: %d", m.Attempts)
	}
}

func TestIncoming_whatPostgreSQLRefusesInTheEnvelopeIsLeftOut(t *testing.T) {
	t.Parallel()
	d := open(t)
	m := incoming(1, "a\x00nn\xff@example.com")
	m.Helo, m.Recipients = "\xfe\x00helo", []string{"sup\x00port@example.com"}
	stored, err := d.Incoming(t.Context(), d.receive(m))
	if err != nil || stored.ReturnPath != "ann@example.com" || stored.Helo != "helo" || stored.Recipients[0] != "support@example.com" {
		t.Errorf("%+v, %v", stored.Envelope, err)
	}
	if _, err := d.Incoming(t.Context(), 99); fault.KindOf(err) != fault.NotFound {
		t.Errorf("a mail that does not exist: %v", errors.Unwrap(err))
	}
}

// emailedByVersion44 has emails whose sender is known to be confirmed or not, and those of which it isn't known.
const emailedByVersion44 = `
	INSERT INTO policies (version, document, sha, author, reason, effective_at, published_at) VALUES (1, 'x', sha256('x'), 'a test', 'to begin with', now(), now());
	INSERT INTO people (id, role, name, address, handle) VALUES
		('P-0000000001', 'customer', 'Carla', 'carla@demo.example', NULL), ('P-0000000003', 'agent', 'Alice', 'alice@demo.example', 'alice');
	INSERT INTO tickets (number, requester, policy, submitted_at, updated_at, latest_at, last_command, status, priority, category)
		SELECT 'HM-000000000' || n, 'P-0000000001', 1, now(), now(), now(), 2, 'new', 'normal', 'other' FROM generate_series(1, 6) n;
	UPDATE tickets SET follows = 'HM-0000000001' WHERE number = 'HM-0000000005';
	INSERT INTO incoming_mails (blob, size, fingerprint, source, return_path, recipients, trust)
		SELECT n::text, 1, sha256(n::text::bytea), 'lmtp', '', '{}', CASE WHEN n IN (2, 6) THEN 'pass' WHEN n = 3 THEN 'fail' ELSE 'unknown' END FROM generate_series(1, 8) n;
	UPDATE incoming_mails SET settled_by = 'P-0000000003', settled_at = now() WHERE id = 3;
	INSERT INTO messages (ticket, body, channel, mail) VALUES
		('HM-0000000001', 'opened a ticket', 'email', 1), ('HM-0000000002', 'authenticated', 'email', 2), ('HM-0000000003', 'released', 'email', 3),
		('HM-0000000001', 'an answer', 'email', 4), ('HM-0000000005', 'a follow-up', 'email', 5), ('HM-0000000006', 'of staff', 'email', 6), ('HM-0000000004', 'by page', 'page', NULL);
	INSERT INTO commands (ticket, seq, verb, by_person, by_role, accepted_at, message)
		SELECT ticket, CASE body WHEN 'an answer' THEN 2 ELSE 1 END, CASE body WHEN 'an answer' THEN 'customer-reply' ELSE 'submit' END,
			CASE body WHEN 'of staff' THEN 'P-0000000003' ELSE 'P-0000000001' END, CASE body WHEN 'of staff' THEN 'agent' ELSE 'customer' END, now(), id FROM messages;`

func TestMigrate_whatIsKnownOfTheSendersOfEarlierEmailsIsRecorded(t *testing.T) {
	dsn, conn := migratedTo(t, 44)
	if _, err := conn.Exec(t.Context(), emailedByVersion44); err != nil {
		t.Fatal(err)
	}
	if err := store.Migrate(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	rows, _ := conn.Query(t.Context(), `SELECT body || ': ' || coalesce(sender, '-') FROM messages ORDER BY id`)
	got, err := pgx.CollectRows(rows, pgx.RowTo[string])
	want := []string{"opened a ticket: unconfirmed", "authenticated: confirmed", "released: confirmed", "an answer: -", "a follow-up: -", "of staff: -", "by page: -"}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got  %q, %v\nwant %q", got, err, want)
	}
}
