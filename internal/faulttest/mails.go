package faulttest

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// recording is how long after an email's reception the desk may need to record that it was sent. If PostgreSQL can't be reached it
	// needs longer, and then that is the fault that explains a duplicate.
	recording = 3 * time.Second
	// skew is by how much a fault's effect may precede or follow what is known of its time.
	skew = time.Second
	// atOnce is how many emails a worker sends at once: SUPPORTDESK_WORKER_MAILS in activities, as many within workflow tasks, and
	// the announcements of a batch.
	atOnce = 8 + 8 + 4
)

// mailKey names a delivery as its Message-ID does.
type mailKey struct {
	queue, ticket string
	n             int64
}

// keyOf reads the key from a Message-ID.
func keyOf(id string) (mailKey, bool) {
	local, _, _ := strings.Cut(strings.Trim(id, "<>"), "@")
	parts := strings.Split(local, ".")
	if len(parts) < 2 {
		return mailKey{}, false
	}
	n, err := strconv.ParseInt(parts[1], 10, 64)
	switch {
	case err != nil:
		return mailKey{}, false
	case parts[0] == "announcement" || parts[0] == "account":
		return mailKey{queue: parts[0], n: n}, true
	}
	return mailKey{queue: "ticket", ticket: strings.ToUpper(parts[0]), n: n}, true
}

// TicketOf returns the number of the ticket of which an email is; empty: it is of none.
func TicketOf(messageID string) string {
	key, _ := keyOf(messageID)
	return key.ticket
}

// mails compares what was owed with what was received.
func (j *judge) mails() {
	received := j.receptions()
	owed, present, receipts := 0, 0, map[string]int{}
	repeated := map[string]int{} // by what explains it
	for _, d := range j.f.Deliveries {
		if d.Queue == "webhook" {
			continue
		}
		owed++
		key := mailKey{d.Queue, d.Ticket, d.N}
		there := received[key]
		delete(received, key)
		if d.Kind == "receipt" {
			receipts[d.Ticket]++
		}
		if len(there) > 0 {
			present++
		}
		j.delivery(d, there, repeated)
	}
	for _, mails := range received {
		j.fail(MailUnknown, "%s to %s", mails[0].ID, mails[0].To)
	}
	for _, t := range j.f.Tickets {
		if n := receipts[t.Number]; n != 1 {
			j.fail(ReceiptMissing, "%s has %d", t.Number, n)
		}
	}
	j.order()
	var why []string
	for fault, n := range repeated {
		why = append(why, fmt.Sprintf("%d twice because of: %s", n, fault))
	}
	slices.Sort(why)
	j.tally("emails to send", owed, present, []Check{MailUnsent, MailLost, MailFailed, MailMisdirected, ReceiptMissing}, []Check{MailDoubled}, strings.Join(why, "; "))
}

// receptions are the emails that were received, by their deliveries.
func (j *judge) receptions() map[mailKey][]Mail {
	received := map[mailKey][]Mail{}
	for _, m := range j.f.Received {
		key, known := keyOf(m.ID)
		if !known {
			j.fail(MailUnknown, "%s to %s", m.ID, m.To)
			continue
		}
		received[key] = append(received[key], m)
	}
	return received
}

// delivery compares one with the emails that were received, and counts those that came twice by the faults that explain them.
func (j *judge) delivery(d Delivery, there []Mail, repeated map[string]int) {
	switch {
	case d.Status == "owed" || d.Status == "held":
		j.fail(MailUnsent, "%s %s.%d is %s", d.Queue, d.Ticket, d.N, d.Status)
	case d.Status == "bounced" || d.Status == "failed":
		j.fail(MailFailed, "%s %s.%d", d.Queue, d.Ticket, d.N)
	case d.Status == "sent" && len(there) == 0:
		j.fail(MailLost, "%s %s.%d to %s", d.Queue, d.Ticket, d.N, d.Recipient)
	}
	for _, m := range there {
		if d.Recipient != "" && !strings.EqualFold(m.To, d.Recipient) {
			j.fail(MailMisdirected, "%s to %s, not to %s", m.ID, m.To, d.Recipient)
		}
	}
	for i := 1; i < len(there); i++ {
		if fault, explained := j.explains(there[i-1].At, there[i].At); explained {
			repeated[string(fault.Kind)+" "+string(fault.Part)]++
		} else {
			j.fail(MailDoubled, "%s to %s at %s and %s", there[i].ID, there[i].To, there[i-1].At.Format("15:04:05.000"), there[i].At.Format("15:04:05.000"))
		}
	}
}

// explains returns a fault that can have kept the desk from recording an email as sent, so that it was sent again: the death or
// pause of a worker, or the loss of a connection or of the database, between the server's answer and its record. Temporal is none:
// without it the record is made. A fault explains no more emails than can be on their way when it happens.
func (j *judge) explains(first, second time.Time) (Fault, bool) {
	for i, f := range j.f.Faults {
		before, after, most := f.repeats()
		until := first.Add(before)
		if second.Before(until) {
			until = second
		}
		if j.explained[i] < most && !f.Began.After(until) && !first.After(after) {
			j.explained[i]++
			return f, true
		}
	}
	return Fault{}, false
}

// repeats returns by how much the reception of an email can precede a fault that has it sent again, until when it can follow, and
// how many emails that can happen to.
func (f Fault) repeats() (before time.Duration, until time.Time, most int) {
	before, until, most = recording, f.Ended.Add(skew), 2*atOnce
	switch {
	case f.happensTo(Postgres, PostgresLink):
	case f.happensTo(SMTPLink):
		before = skew // until the answer, which comes at once
		if f.Kind == LoseAnswers {
			most = math.MaxInt // each that is sent meanwhile
		}
	case f.happensTo(Worker1, Worker2) && f.Kind != Stop:
		most = atOnce
		switch f.Kind {
		case Kill:
			until = f.Began.Add(skew) // it does nothing afterwards
		case Freeze:
			until = f.Ended.Add(recording) // it goes on with an email that others have taken over
		}
	default:
		return 0, time.Time{}, 0
	}
	return before, until, most
}

// order checks that the emails of a ticket reach each recipient in the order of their numbers.
func (j *judge) order() {
	type conversation struct{ ticket, to string }
	last, seen := map[conversation]int64{}, map[string]bool{}
	for _, m := range j.f.Received {
		key, known := keyOf(m.ID)
		if !known || key.queue != "ticket" || seen[m.ID] {
			continue
		}
		seen[m.ID] = true
		c := conversation{key.ticket, m.To}
		if key.n < last[c] {
			j.fail(MailDisordered, "%s.%d came to %s after %d", key.ticket, key.n, m.To, last[c])
		}
		last[c] = key.n
	}
}

// wordsMailed checks that what staff wrote has reached its recipients.
func (j *judge) wordsMailed() {
	type copied struct{ token, to string }
	there := map[copied]bool{}
	for _, m := range j.f.Received {
		for _, t := range Tokens(m.Text) {
			there[copied{t, m.To}] = true
		}
	}
	refused := map[string]bool{}
	for _, m := range j.f.Messages {
		if m.Refused {
			refused[token.FindString(m.Body)] = true
		}
	}
	wanted, present := 0, 0
	for _, w := range j.a.Words {
		if w.To == "" || refused[w.Token] {
			continue
		}
		wanted++
		if there[copied{w.Token, w.To}] {
			present++
		} else {
			j.fail(WordNotMailed, "%s of %s to %s", w.Token, w.Ticket, w.To)
		}
	}
	j.tally("words to send", wanted, present, []Check{WordNotMailed}, nil, "")
}
