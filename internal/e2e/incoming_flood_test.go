package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// What a desk sends because of one sender's emails is limited: receipts by their number, and what else they cause by the
// sender's allowances.
func TestIncomingMail_aThousandFromOneSenderCauseFewEmails(t *testing.T) {
	const (
		sender      = "flood@client.example"
		participant = "other@demo.example"
		mails       = 1000
		receipts    = 5  // an hour
		replies     = 60 // at once, and one more in each interval
		interval    = 10 * time.Second
	)
	began := time.Now()
	s := start(t, "", "SUPPORTDESK_ALLOWANCES=1")
	m := s.addMailroom()
	number, receipt := m.open(newLetter(sender, 100))
	s.agent.do(number, "participants", words{"person": participant})
	s.agent.do(number, "assignment", nil)
	group := errgroup.Group{}
	group.SetLimit(8)
	for i := range mails - 1 {
		l := newLetter(sender, 100)
		if i%2 == 0 {
			l = l.inReplyTo(receipt)
		} else { // a new ticket
			l.raw = []byte(strings.Replace(string(l.raw), "Subject: My order", fmt.Sprint("Subject: My order ", i), 1))
		}
		group.Go(func() error { return m.send(l) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	m.awaitGrowth(m.pool, "every mail is processed, or waits", mails, `SELECT count(*) FROM incoming_mails WHERE status <> 'received' OR not_before > received_at`)
	m.awaitCount("every command is decided and every email sent", 1, `SELECT (
		(SELECT count(*) FROM tickets WHERE taken < last_command) + (SELECT count(*) FROM deliveries WHERE status = 'owed') = 0)::int`)

	to := map[string]int{}
	for _, sent := range s.mails.Messages() {
		to[sent.To[0]]++
	}
	t.Logf("emails by recipient: %v", to)
	if n := to[sender]; n > receipts+1 { // and that of the assignment
		t.Errorf("the sender got %d emails", n)
	}
	for _, other := range []string{participant, "agent@demo.example"} {
		if n, most := to[other], replies+int(time.Since(began)/interval)+1; n > most {
			t.Errorf("%s got %d emails, more than %d", other, n, most)
		}
	}
	if len(to) != 3 {
		t.Errorf("%d addresses got emails", len(to))
	}
}
