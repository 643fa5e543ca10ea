package e2e_test

import (
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/scantest"
)

func TestScanner_quarantinesInfectedMailsAndHoldsTheOthersWhileItIsAway(t *testing.T) {
	t.Parallel()
	clamd := scantest.Clamd(t, false)
	m := openMailroom(t, "SUPPORTDESK_SCANNER_URL="+clamd.URL)
	m.awaitOpen()
	infect := func(l letter) letter {
		return l.identified(strings.Replace(string(l.raw), l.token, l.token+" "+scantest.Virus, 1))
	}
	clean, infected := newLetter("ann@client.example", 100), infect(newLetter("bob@client.example", 100))
	m.deliver(clean)
	m.deliver(infected)
	const processed = `SELECT count(*) FROM incoming_mails WHERE status <> 'received'`
	m.awaitCount("both mails are processed", 2, processed)

	clamd.Kill()
	waiting, waitingInfected := newLetter("carl@client.example", 100), infect(newLetter("dora@client.example", 100))
	m.deliver(waiting)
	m.deliver(waitingInfected)
	m.awaitCount("both mails are deferred", 2, `SELECT count(*) FROM incoming_mails WHERE status = 'received' AND not_before > '-infinity'`)
	clamd.Restart()
	m.awaitCount("all mails are processed", 4, processed)

	rows, _ := m.incoming()
	for id, want := range map[string]string{
		clean.id: "accepted ", infected.id: "quarantined threat", waiting.id: "accepted ", waitingInfected.id: "quarantined threat",
	} {
		if got := rows[id]; len(got) != 1 || got[0].status+" "+got[0].reason != want {
			t.Errorf("mail %s is stored as %+v, want %s", id, got, want)
		}
	}
	if found := m.messages(); len(found) != 2 || found[clean.token] != 1 || found[waiting.token] != 1 {
		t.Errorf("the messages are %v", found)
	}
	if n := m.count(`SELECT count(*) FROM incoming_mails WHERE detail LIKE '%' || $1 || '%'`, scantest.VirusName); n != 2 {
		t.Errorf("%d mails are recorded with the name of the virus", n)
	}
}
