package faulttest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/faulttest"
)

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func at(seconds int) time.Time { return noon.Add(time.Duration(seconds) * time.Second) }

const (
	broken, answered, closed = "HM-0000000001", "HM-0000000002", "HM-0000000003"
	customer, supervisor     = "customer@demo.example", "supervisor@demo.example"
)

// sound returns a desk on which everything is as it was promised: a ticket whose promise was broken, one that was answered too late,
// after which an email about it was sent twice because a worker died, and one that came by email, with a reply, and is closed.
func sound() (faulttest.Acknowledged, faulttest.Facts) {
	clock := func(used time.Duration, c faulttest.Clock) map[string]faulttest.Clock {
		c.Budget, c.Used, c.Remaining, c.Explained = 6*time.Second, used, 6*time.Second-used, used
		return map[string]faulttest.Clock{"first_response": c}
	}
	a := faulttest.Acknowledged{
		Words: []faulttest.Word{
			{Token: "token-A", Ticket: broken}, {Token: "token-B", Ticket: answered},
			{Token: "token-C", Ticket: answered, To: customer},
		},
		Keys: []string{"key-1"},
		Letters: []faulttest.Letter{
			{ID: "<1@client.example>", Token: "token-D", Raw: []byte("raw email")},
			{ID: "<2@client.example>", Token: "token-F", Ticket: closed, Raw: []byte("raw reply")},
		},
		Files:   map[string]string{"F-1": "hash"},
		Refused: []string{"token-E"},
	}
	f := faulttest.Facts{
		Tickets: []faulttest.Ticket{
			{Number: broken, Status: "new", Submitted: at(0), Running: true, Clocks: clock(90*time.Second, faulttest.Clock{Due: at(8), Running: true, Breached: true})},
			{Number: answered, Status: "open", Submitted: at(0), Running: true, Clocks: clock(7*time.Second, faulttest.Clock{MetAt: at(9), Breached: true})},
			{Number: closed, Status: "closed", Submitted: at(0), Clocks: clock(time.Second, faulttest.Clock{})},
		},
		Messages: []faulttest.Message{
			{Ticket: broken, Body: "Words of token-A", Entries: 1}, {Ticket: answered, Body: "Words of token-B", Entries: 1},
			{Ticket: answered, Body: "Words of token-C", Entries: 1}, {Ticket: closed, Body: "Hello, this is token-D.", Entries: 1},
			{Ticket: closed, Body: "Words of token-E", Refused: true}, {Ticket: closed, Body: "Hello, this is token-F.", Entries: 1},
		},
		Keys: map[string]int{"key-1": 1},
		Events: []faulttest.Event{
			{Ticket: broken, N: 1, Kind: "submitted", At: at(0), Recorded: at(0)},
			{Ticket: broken, N: 2, Kind: "paused", Emergency: "E-1", At: at(2), Recorded: at(3)},
			{Ticket: broken, N: 3, Kind: "resumed", Emergency: "E-1", At: at(4), Recorded: at(4)},
			{Ticket: broken, N: 4, Kind: "reminded", Clock: "first_response", At: at(5), Recorded: at(5)},
			{Ticket: broken, N: 5, Kind: "breached", Clock: "first_response", At: at(8), Recorded: at(8)},
			{Ticket: broken, N: 6, Kind: "escalated", Clock: "first_response", Step: 1, At: at(8), Recorded: at(8)},
			{Ticket: broken, N: 7, Kind: "escalated", Clock: "first_response", Step: 2, At: at(11), Recorded: at(40)},
			{Ticket: answered, N: 1, Kind: "submitted", At: at(0), Recorded: at(0)},
			{Ticket: answered, N: 2, Kind: "paused", Emergency: "E-1", At: at(2), Recorded: at(3)},
			{Ticket: answered, N: 3, Kind: "resumed", Emergency: "E-1", At: at(4), Recorded: at(4)},
			{Ticket: answered, N: 4, Kind: "reminded", Clock: "first_response", At: at(5), Recorded: at(5)},
			{Ticket: answered, N: 5, Kind: "breached", Clock: "first_response", At: at(8), Recorded: at(8)},
			{Ticket: answered, N: 6, Kind: "escalated", Clock: "first_response", Step: 1, At: at(8), Recorded: at(8)},
			{Ticket: answered, N: 7, Kind: "agent-asked", Status: "waiting", Answers: true, At: at(9), Recorded: at(9)},
			{Ticket: answered, N: 8, Kind: "nudged", At: at(13), Recorded: at(13)},
			{Ticket: answered, N: 9, Kind: "agent-replied", Answers: true, At: at(14), Recorded: at(14)},
			{Ticket: answered, N: 10, Kind: "nudged", At: at(18), Recorded: at(18)},
			{Ticket: closed, N: 1, Kind: "submitted", At: at(0), Recorded: at(0)},
			{Ticket: closed, N: 2, Kind: "closed", Status: "closed", At: at(1), Recorded: at(1)},
		},
		Deliveries: []faulttest.Delivery{
			{Queue: "ticket", Ticket: broken, N: 1, Status: "sent", Recipient: customer, Kind: "receipt"},
			{Queue: "ticket", Ticket: broken, N: 2, Status: "sent", Recipient: supervisor, Kind: "escalation"},
			{Queue: "ticket", Ticket: answered, N: 1, Status: "sent", Recipient: customer, Kind: "receipt"},
			{Queue: "ticket", Ticket: answered, N: 2, Status: "sent", Recipient: customer, Kind: "agent-reply"},
			{Queue: "ticket", Ticket: closed, N: 1, Status: "sent", Recipient: customer, Kind: "receipt"},
			{Queue: "announcement", N: 7, Status: "superseded"},
			{Queue: "announcement", N: 8, Status: "sent", Recipient: customer},
		},
		Received: []faulttest.Mail{
			{ID: "hm-0000000001.1.m1@demo.example", To: customer, At: at(1)}, {ID: "hm-0000000002.1.m1@demo.example", To: customer, At: at(1)},
			{ID: "hm-0000000003.1.m1@demo.example", To: customer, At: at(1)}, {ID: "announcement.8@demo.example", To: customer, At: at(3)},
			{ID: "hm-0000000001.2.m1@demo.example", To: supervisor, At: at(8)},
			{ID: "hm-0000000002.2.m1@demo.example", To: customer, Text: "Words of token-C", At: at(20)},
			{ID: "hm-0000000002.2.m1@demo.example", To: customer, Text: "Words of token-C", At: at(42)},
		},
		Incoming: []faulttest.Incoming{
			{ID: "<1@client.example>", Status: "accepted", Raw: []byte("Received: here\r\nraw email")},
			{ID: "<1@client.example>", Status: "duplicate", Raw: []byte("raw email")},
			{ID: "<2@client.example>", Status: "accepted", Raw: []byte("raw reply")},
		},
		Emergencies: []faulttest.Emergency{{ID: "E-1", Start: at(2), End: at(4)}},
		Files:       map[string]string{"F-1": "hash"},
		Steps:       []time.Duration{0, 3 * time.Second},
		Targets:     map[string]time.Duration{"first_response": 6 * time.Second},
		Reminders:   map[string]time.Duration{"first_response": 3 * time.Second},
		Faults: []faulttest.Fault{
			{Part: faulttest.Worker1, Kind: faulttest.Kill, Began: at(21), Ended: at(23)},
			{Part: faulttest.Temporal, Kind: faulttest.Kill, Began: at(10), Ended: at(30)},
		},
	}
	return a, f
}

func TestJudge_findsNothingOnASoundDesk(t *testing.T) {
	t.Parallel()
	a, f := sound()
	r := faulttest.Judge(a, f)
	for _, v := range r.Violations {
		t.Error(v)
	}
	if text := r.String(); !strings.Contains(text, "1 twice because of: kill worker 1") {
		t.Errorf("the tally does not explain the email that came twice:\n%s", text)
	}
}

// The record waits for PostgreSQL, and a worker that dies meanwhile has not made it.
func TestJudge_explainsDuplicatesByADeathLongAfterwardsOnlyWithoutPostgreSQL(t *testing.T) {
	t.Parallel()
	a, f := sound()
	f.Faults[0].Began, f.Faults[0].Ended = at(30), at(31)
	if r := faulttest.Judge(a, f); len(r.Broken(faulttest.MailDoubled)) == 0 {
		t.Error("a death after the record explains a duplicate")
	}
	f.Faults = append(f.Faults, faulttest.Fault{Part: faulttest.PostgresLink, Kind: faulttest.Stall, Began: at(21), Ended: at(31)})
	if r := faulttest.Judge(a, f); len(r.Violations) > 0 {
		t.Errorf("without PostgreSQL it finds %v", r.Violations)
	}
}

// What is on its way when a worker dies is sent again, and no more.
func TestJudge_explainsAsManyDuplicatesAsAWorkerSendsAtOnce(t *testing.T) {
	t.Parallel()
	a, f := sound()
	repeat(&f, 19)
	if r := faulttest.Judge(a, f); len(r.Violations) > 0 {
		t.Errorf("it finds %v", r.Violations)
	}
}

// A reply to a closed ticket opens another one.
func TestJudge_acceptsAReplyInTheTicketThatFollowsUp(t *testing.T) {
	t.Parallel()
	a, f := sound()
	f.Messages[5].Ticket, f.Tickets[0].Follows = broken, closed
	if r := faulttest.Judge(a, f); len(r.Violations) > 0 {
		t.Errorf("it finds %v", r.Violations)
	}
}

// damage is what can be wrong with a desk, and the check that finds it.
type damage struct {
	check faulttest.Check
	name  string
	do    func(*faulttest.Acknowledged, *faulttest.Facts)
}

var damages = []damage{
	{faulttest.WordLost, "a message", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Messages = f.Messages[1:] }},
	{faulttest.WordLost, "in another ticket", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Messages[0].Ticket = closed }},
	{faulttest.WordDoubled, "a message", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Messages = append(f.Messages, f.Messages[0]) }},
	{faulttest.WordUnknown, "a message", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Messages[4].Body = "token-Z" }},
	{faulttest.WordUnknown, "without a token", func(a *faulttest.Acknowledged, f *faulttest.Facts) {
		a.Refused = append(a.Refused, "") // of a command without words
		f.Messages = append(f.Messages, faulttest.Message{Ticket: closed, Body: "Words", Entries: 1})
	}},
	{faulttest.WordNotShown, "in no entry", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Messages[1].Entries = 0 }},
	{faulttest.WordNotShown, "in two", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Messages[1].Entries = 2 }},
	{faulttest.CommandLost, "by its key", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { delete(f.Keys, "key-1") }},
	{faulttest.CommandDoubled, "by its key", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Keys["key-1"] = 2 }},
	{faulttest.CommandUndecided, "of a ticket", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Tickets[0].Undecided = 1 }},
	{faulttest.LetterLost, "not stored", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Incoming = nil }},
	{faulttest.LetterAltered, "other bytes", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Incoming[0].Raw = []byte("raw e") }},
	{faulttest.LetterDoubled, "stored twice", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Incoming[1].Status = "accepted" }},
	{faulttest.LetterDoubled, "two messages", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Messages = append(f.Messages, f.Messages[3]) }},
	{faulttest.LetterUnprocessed, "waits", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Incoming[0].Status = "received" }},
	{faulttest.LetterUnprocessed, "no message", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Messages = slices.Delete(f.Messages, 3, 4) }},
	{faulttest.LetterMisplaced, "in another ticket", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Messages[5].Ticket = broken }},
	{faulttest.LetterMisplaced, "in a ticket that follows another", func(_ *faulttest.Acknowledged, f *faulttest.Facts) {
		f.Messages[5].Ticket, f.Tickets[0].Follows = broken, answered
	}},
	{faulttest.FileLost, "no bytes", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { delete(f.Files, "F-1") }},
	{faulttest.FileLost, "other bytes", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Files["F-1"] = "other" }},
	{faulttest.TimelineGap, "an entry is missing", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Events = slices.Delete(f.Events, 3, 4) }},
	{faulttest.TimelineGap, "an entry is there twice", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Events = append(f.Events, f.Events[3]) }},
	{faulttest.MailUnsent, "owed", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Deliveries[1].Status = "owed" }},
	{faulttest.MailFailed, "bounced", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Deliveries[1].Status = "bounced" }},
	{faulttest.MailLost, "not received", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Received = slices.Delete(f.Received, 4, 5) }},
	{faulttest.MailUnknown, "without a row", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Deliveries = slices.Delete(f.Deliveries, 1, 2) }},
	{faulttest.MailUnknown, "of no desk", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Received[4].ID = "else" }},
	{faulttest.MailMisdirected, "to another person", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Received[0].To = supervisor }},
	{faulttest.MailDoubled, "without a fault", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Faults = nil }},
	{faulttest.MailDoubled, "a worker that stopped has recorded it", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Faults[0].Kind = faulttest.Stop }},
	{faulttest.MailDoubled, "the fault was over", func(_ *faulttest.Acknowledged, f *faulttest.Facts) {
		f.Faults[0].Began, f.Faults[0].Ended = at(10), at(17)
	}},
	{faulttest.MailDoubled, "the fault came later", func(_ *faulttest.Acknowledged, f *faulttest.Facts) {
		f.Faults[0].Began, f.Faults[0].Ended = at(33), at(35)
	}},
	{faulttest.MailDoubled, "PostgreSQL could be reached, and the fault came after the record", func(_ *faulttest.Acknowledged, f *faulttest.Facts) {
		f.Faults[0].Began, f.Faults[0].Ended = at(25), at(27)
	}},
	{faulttest.MailDoubled, "the worker was dead", func(_ *faulttest.Acknowledged, f *faulttest.Facts) {
		f.Faults[0].Began, f.Faults[0].Ended = at(18), at(23)
	}},
	{faulttest.MailDoubled, "more than a worker sends at once", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { repeat(f, 20) }},
	{faulttest.MailDisordered, "of one ticket to one recipient", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { slices.Reverse(f.Received) }},
	{faulttest.WordNotMailed, "to its recipient", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Received[5].Text, f.Received[6].Text = "", "" }},
	{faulttest.ReceiptMissing, "none", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Deliveries[0].Kind = "nudge" }},
	{faulttest.ReceiptMissing, "two", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Deliveries[1].Kind = "receipt" }},
	{faulttest.ClockWrong, "used and remaining", func(_ *faulttest.Acknowledged, f *faulttest.Facts) {
		change(f, func(c *faulttest.Clock) { c.Remaining = 0 })
	}},
	{faulttest.ClockWrong, "explained", func(_ *faulttest.Acknowledged, f *faulttest.Facts) {
		change(f, func(c *faulttest.Clock) { c.Explained++ })
	}},
	{faulttest.ClockRan, "while paused", func(_ *faulttest.Acknowledged, f *faulttest.Facts) {
		change(f, func(c *faulttest.Clock) { c.UsedWhilePaused = time.Second })
	}},
	{faulttest.TargetWrong, "budget", func(_ *faulttest.Acknowledged, f *faulttest.Facts) {
		change(f, func(c *faulttest.Clock) { c.Budget, c.Remaining = c.Budget+time.Second, c.Remaining+time.Second })
	}},
	{faulttest.PromiseLost, "neither met nor breached", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { drop(f, broken, "breached") }},
	{faulttest.PromiseLost, "met too late", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { drop(f, answered, "breached") }},
	{faulttest.PromiseLost, "met at the deadline", func(_ *faulttest.Acknowledged, f *faulttest.Facts) {
		drop(f, answered, "breached")
		c := f.Tickets[1].Clocks["first_response"]
		c.Used, c.Remaining, c.Explained = c.Budget, 0, c.Budget
		f.Tickets[1].Clocks["first_response"] = c
	}},
	{faulttest.PromiseLost, "the ticket is closed", func(_ *faulttest.Acknowledged, f *faulttest.Facts) {
		drop(f, broken, "breached")
		f.Tickets[0].Status = "closed"
	}},
	{faulttest.PromiseLost, "its time has come", func(_ *faulttest.Acknowledged, f *faulttest.Facts) {
		drop(f, broken, "breached")
		change(f, func(c *faulttest.Clock) { c.Remaining, c.Breached = 0, false })
	}},
	{faulttest.ReminderLost, "of a breach", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { drop(f, broken, "reminded") }},
	{faulttest.ReminderLost, "of a promise that was kept", func(_ *faulttest.Acknowledged, f *faulttest.Facts) {
		drop(f, answered, "reminded")
		drop(f, answered, "breached")
	}},
	{faulttest.DueTwice, "a reminder", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { again(f, broken, "reminded") }},
	{faulttest.DueTwice, "a breach", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { again(f, broken, "breached") }},
	{faulttest.DueTwice, "a nudge", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { again(f, answered, "nudged") }},
	{faulttest.StepTwice, "of a clock", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Events[6].Step = 1 }},
	{faulttest.StepLost, "the last", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Events = slices.Delete(f.Events, 6, 7) }},
	{faulttest.StepLost, "the first", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Events = slices.Delete(f.Events, 5, 6) }},
	{faulttest.StepLost, "the answer came after it was due", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Events[13].At = at(14) }},
	{faulttest.StepLost, "the breach is missing", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Events = slices.Delete(f.Events, 4, 5) }},
	{faulttest.StepInEmergency, "a reminder", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Events[3].At = at(3) }},
	{faulttest.StepLate, "long after the faults", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Events[6].Recorded = at(30 + 121) }},
	{faulttest.StepLate, "without a fault", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Faults, f.Events[6].Recorded = nil, at(11+121) }},
	{faulttest.EmergencyInexact, "not paused", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Events[1].Kind = "noted" }},
	{faulttest.EmergencyInexact, "not resumed", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Events[2].Kind = "noted" }},
	{faulttest.EmergencyInexact, "twice", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Events[2].Kind = "paused" }},
	{faulttest.EmergencyInexact, "late", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Events[1].At = at(3) }},
	{faulttest.WorkflowMissing, "of an open ticket", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Tickets[0].Running = false }},
	{faulttest.WorkflowMissing, "of a closed one that owes an email", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Deliveries[4].Status = "owed" }},
	{faulttest.WorkflowLeft, "of a closed ticket", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Tickets[2].Running = true }},
	{faulttest.DoctorReports, "a sentence", func(_ *faulttest.Acknowledged, f *faulttest.Facts) {
		f.Doctor = []string{"ticket … does not match its timeline"}
	}},
	{faulttest.PersonalData, "a word", func(_ *faulttest.Acknowledged, f *faulttest.Facts) { f.Canaries = []string{"temporal.db holds …"} }},
}

// drop removes the events of a kind from a ticket.
func drop(f *faulttest.Facts, number, kind string) {
	f.Events = slices.DeleteFunc(f.Events, func(e faulttest.Event) bool { return e.Ticket == number && e.Kind == kind })
}

// again has the last event of a kind happen to a ticket twice, the second time a moment later.
func again(f *faulttest.Facts, number, kind string) {
	for i, e := range slices.Backward(f.Events) {
		if e.Ticket == number && e.Kind == kind {
			e.N, e.At = e.N+1, e.At.Add(time.Second)
			f.Events = slices.Insert(f.Events, i+1, e)
			return
		}
	}
}

// repeat has n more emails received twice as that of the sound desk was.
func repeat(f *faulttest.Facts, n int64) {
	for i := range n {
		f.Deliveries = append(f.Deliveries, faulttest.Delivery{Queue: "account", N: i, Status: "sent", Recipient: customer})
		for _, when := range []time.Time{at(20), at(42)} {
			f.Received = append(f.Received, faulttest.Mail{ID: fmt.Sprintf("account.%d@demo.example", i), To: customer, At: when})
		}
	}
}

func change(f *faulttest.Facts, how func(*faulttest.Clock)) {
	c := f.Tickets[0].Clocks["first_response"]
	how(&c)
	f.Tickets[0].Clocks["first_response"] = c
}

func TestJudge_findsEachDamage(t *testing.T) {
	t.Parallel()
	for _, d := range damages {
		t.Run(string(d.check)+", "+d.name, func(t *testing.T) {
			t.Parallel()
			a, f := sound()
			d.do(&a, &f)
			if r := faulttest.Judge(a, f); len(r.Broken(d.check)) == 0 {
				t.Errorf("it finds %v", r.Violations)
			}
		})
	}
}

// Every check of the package is proven by a damage.
func TestJudge_hasADamageForEachCheck(t *testing.T) {
	t.Parallel()
	for _, c := range faulttest.Checks() {
		if !slices.ContainsFunc(damages, func(d damage) bool { return d.check == c }) {
			t.Errorf("no damage proves the check: %s", c)
		}
	}
}

func TestRound_isTheSameForASeedAndHasEveryFaultOnce(t *testing.T) {
	t.Parallel()
	one, two, other := faulttest.Round(1, 0), faulttest.Round(1, 0), faulttest.Round(2, 0)
	if !slices.Equal(one.Faults, two.Faults) || one.Emergency != two.Emergency {
		t.Error("a seed does not repeat its schedule")
	}
	if slices.Equal(one.Faults, other.Faults) || slices.Equal(one.Faults, faulttest.Round(1, 1).Faults) {
		t.Error("another seed or round has the same schedule")
	}
	name := func(f faulttest.Fault) string { return string(f.Kind) + " " + string(f.Part) }
	var names, others []string
	for i, f := range one.Faults {
		names, others = append(names, name(f)), append(others, name(other.Faults[i]))
		if i > 0 && f.After < one.Faults[i-1].After {
			t.Errorf("%s comes before the one that precedes it", f)
		}
	}
	for _, amid := range []faulttest.Notification{faulttest.OfStart, faulttest.OfEnd} {
		kills := slices.DeleteFunc(slices.Clone(one.Faults), func(f faulttest.Fault) bool { return f.Amid != amid || f.Kind != faulttest.Kill })
		if len(kills) != 1 || kills[0].After < one.Emergency {
			t.Errorf("not one kill waits for the notification of the %s of the emergency: %v", amid, kills)
		}
	}
	slices.Sort(names)
	slices.Sort(others)
	if !slices.Equal(names, others) || len(slices.Compact(names)) != len(one.Faults) {
		t.Errorf("two rounds have other faults: %q and %q", names, others)
	}
}
