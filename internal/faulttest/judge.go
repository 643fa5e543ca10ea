package faulttest

import (
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Check is a promise that Judge checks.
type Check string

// The checks.
const (
	WordLost          Check = "an acknowledged word is lost"
	WordDoubled       Check = "a word is there twice"
	WordUnknown       Check = "a message that no one sent"
	WordNotShown      Check = "a message is not in its timeline once"
	CommandLost       Check = "an acknowledged command is lost"
	CommandDoubled    Check = "a command is there twice"
	CommandUndecided  Check = "a command is undecided"
	LetterLost        Check = "an email that was replied to with 250 is lost"
	LetterAltered     Check = "an email is not stored as it was sent"
	LetterDoubled     Check = "an incoming email is there twice"
	LetterUnprocessed Check = "an incoming email did not become a message"
	LetterMisplaced   Check = "a reply by email is in another ticket"
	FileLost          Check = "an acknowledged file is lost"
	TimelineGap       Check = "a timeline has a gap"
	MailUnsent        Check = "an email is still owed, or is held"
	MailFailed        Check = "an email bounced, although no server refused it for good"
	MailLost          Check = "an email counts as sent and was not received"
	MailUnknown       Check = "an email was received that nothing owes"
	MailMisdirected   Check = "an email was received by another than its recipient"
	MailDoubled       Check = "an email was received twice, and no fault explains it"
	MailDisordered    Check = "emails of a ticket were received out of order"
	WordNotMailed     Check = "a word was not sent to its recipient"
	ReceiptMissing    Check = "a ticket has no receipt, or several"
	ClockWrong        Check = "a clock's used and remaining time are not its budget"
	ClockRan          Check = "a clock ran while it was paused"
	TargetWrong       Check = "a clock's budget is not the policy's target"
	PromiseLost       Check = "a deadline has passed and was neither kept nor recorded as breached"
	ReminderLost      Check = "a reminder is lost"
	DueTwice          Check = "a reminder, breach or nudge happened twice"
	StepTwice         Check = "an escalation step fired twice"
	StepLost          Check = "an escalation step is lost"
	StepInEmergency   Check = "a reminder, breach or escalation step fired in an emergency"
	StepLate          Check = "a due event fired later than the faults explain"
	EmergencyInexact  Check = "a ticket did not pause or resume with the emergency once"
	WorkflowMissing   Check = "a ticket has something due, undecided or owed and no running workflow"
	WorkflowLeft      Check = "a workflow runs for a ticket that needs none"
	DoctorReports     Check = "the doctor reports a problem"
	PersonalData      Check = "Temporal holds personal data"
)

// Checks returns every check.
func Checks() []Check {
	return []Check{
		WordLost, WordDoubled, WordUnknown, WordNotShown, CommandLost, CommandDoubled, CommandUndecided, LetterLost,
		LetterAltered, LetterDoubled, LetterUnprocessed, LetterMisplaced, FileLost, TimelineGap, MailUnsent, MailFailed,
		MailLost, MailUnknown, MailMisdirected, MailDoubled, MailDisordered, WordNotMailed, ReceiptMissing, ClockWrong,
		ClockRan, TargetWrong, PromiseLost, ReminderLost, DueTwice, StepTwice, StepLost, StepInEmergency, StepLate,
		EmergencyInexact, WorkflowMissing, WorkflowLeft, DoctorReports, PersonalData,
	}
}

// Violation is a promise that was broken.
type Violation struct {
	Check  Check
	Detail string
}

func (v Violation) String() string { return string(v.Check) + ": " + v.Detail }

// Report is what Judge found.
type Report struct {
	Violations []Violation
	Latest     Event // the due event that fired with the greatest delay
	rows       []row
}

type row struct {
	what                                 string
	acknowledged, present, lost, doubled int
	remark                               string
}

// Broken returns the violations of a check.
func (r Report) Broken(c Check) []Violation {
	return slices.DeleteFunc(slices.Clone(r.Violations), func(v Violation) bool { return v.Check != c })
}

// String is the tally as a table.
func (r Report) String() string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(w, "\tacknowledged or owed\tpresent\tlost\tdoubled\t")
	for _, r := range r.rows {
		_, _ = fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%s\n", r.what, r.acknowledged, r.present, r.lost, r.doubled, r.remark)
	}
	_ = w.Flush()
	return b.String()
}

// Judge checks everything.
func Judge(a Acknowledged, f Facts) Report {
	j := &judge{a: a, f: f, explained: map[int]int{}}
	j.words()
	j.commands()
	j.letters()
	j.files()
	j.timelines()
	j.mails()
	j.wordsMailed()
	j.clocks()
	j.once()
	j.steps()
	j.lateness()
	j.emergencies()
	j.workflows()
	for _, line := range f.Doctor {
		j.fail(DoctorReports, "%s", line)
	}
	for _, place := range f.Canaries {
		j.fail(PersonalData, "%s", place)
	}
	return j.report
}

type judge struct {
	a      Acknowledged
	f      Facts
	report Report

	explained map[int]int // emails that came twice, by the index of the fault that explains them
}

func (j *judge) fail(c Check, format string, args ...any) {
	j.report.Violations = append(j.report.Violations, Violation{Check: c, Detail: fmt.Sprintf(format, args...)})
}

// count is the number of violations of some checks so far.
func (j *judge) count(checks ...Check) (n int) {
	for _, v := range j.report.Violations {
		if slices.Contains(checks, v.Check) {
			n++
		}
	}
	return n
}

func (j *judge) tally(what string, acknowledged, present int, lost, doubled []Check, remark string) {
	j.report.rows = append(j.report.rows, row{what, acknowledged, present, j.count(lost...), j.count(doubled...), remark})
}

var token = regexp.MustCompile(`token-[A-Z2-7]+`)

// Tokens returns the tokens in a text.
func Tokens(text string) []string { return token.FindAllString(text, -1) }

func (j *judge) words() {
	found := map[string][]Message{}
	for _, m := range j.f.Messages {
		t := token.FindString(m.Body)
		found[t] = append(found[t], m)
		if wanted := 1; m.Entries != wanted && !m.Refused {
			j.fail(WordNotShown, "%s of %s is in %d entries", t, m.Ticket, m.Entries)
		}
	}
	known := map[string]bool{}
	for _, l := range j.a.Letters {
		known[l.Token] = true // checked as emails
	}
	for _, t := range j.a.Refused {
		known[t] = true
	}
	delete(known, "") // a message without a token is known to no one
	present := 0
	for _, w := range j.a.Words {
		known[w.Token] = true
		switch there := found[w.Token]; {
		case len(there) == 0:
			j.fail(WordLost, "%s of %s", w.Token, w.Ticket)
		case len(there) > 1:
			j.fail(WordDoubled, "%s of %s: %d times", w.Token, w.Ticket, len(there))
			present++
		case there[0].Ticket != w.Ticket:
			j.fail(WordLost, "%s of %s is in %s", w.Token, w.Ticket, there[0].Ticket)
		default:
			present++
		}
	}
	for t, messages := range found {
		if !known[t] {
			j.fail(WordUnknown, "%q in %s", messages[0].Body, messages[0].Ticket)
		}
	}
	j.tally("tickets and messages", len(j.a.Words), present, []Check{WordLost, WordNotShown}, []Check{WordDoubled}, "")
}

func (j *judge) commands() {
	present := 0
	for _, key := range j.a.Keys {
		switch n := j.f.Keys[key]; {
		case n == 0:
			j.fail(CommandLost, "%s", key)
		case n > 1:
			j.fail(CommandDoubled, "%s: %d times", key, n)
			present++
		default:
			present++
		}
	}
	for _, t := range j.f.Tickets {
		if t.Undecided > 0 {
			j.fail(CommandUndecided, "%d of %s", t.Undecided, t.Number)
		}
	}
	j.tally("commands without words", len(j.a.Keys), present, []Check{CommandLost}, []Check{CommandDoubled}, fmt.Sprint(j.count(CommandUndecided), " tickets with undecided ones"))
}

func (j *judge) letters() {
	stored := map[string][]Incoming{}
	duplicates := 0
	for _, i := range j.f.Incoming {
		if i.Status == "duplicate" {
			duplicates++
			continue
		}
		stored[i.ID] = append(stored[i.ID], i)
	}
	bodies, tickets, follows := map[string]int{}, map[string]string{}, map[string]string{}
	for _, m := range j.f.Messages {
		t := token.FindString(m.Body)
		bodies[t]++
		if !m.Refused {
			tickets[t] = m.Ticket
		}
	}
	for _, t := range j.f.Tickets {
		follows[t.Number] = t.Follows
	}
	present := 0
	for _, l := range j.a.Letters {
		there := stored[l.ID]
		if len(there) == 0 {
			j.fail(LetterLost, "%s %s", l.ID, l.Token)
			continue
		}
		present++
		if len(there) > 1 || bodies[l.Token] > 1 {
			j.fail(LetterDoubled, "%s is stored %d times and is %d messages", l.ID, len(there), bodies[l.Token])
		}
		if !bytes.HasSuffix(bytes.TrimSpace(there[0].Raw), bytes.TrimSpace(l.Raw)) {
			j.fail(LetterAltered, "%s: %d bytes of %d", l.ID, len(there[0].Raw), len(l.Raw))
		}
		if there[0].Status != "accepted" || bodies[l.Token] == 0 {
			j.fail(LetterUnprocessed, "%s is %s and is %d messages", l.ID, there[0].Status, bodies[l.Token])
		}
		if in := tickets[l.Token]; l.Ticket != "" && in != "" && in != l.Ticket && follows[in] != l.Ticket {
			j.fail(LetterMisplaced, "%s, a reply to %s, is in %s", l.Token, l.Ticket, in)
		}
	}
	j.tally("incoming emails", len(j.a.Letters), present, []Check{LetterLost, LetterAltered, LetterUnprocessed, LetterMisplaced}, []Check{LetterDoubled},
		fmt.Sprint(duplicates, " came again and were recognized"))
}

func (j *judge) files() {
	present := 0
	for id, hash := range j.a.Files {
		switch got, there := j.f.Files[id]; {
		case !there:
			j.fail(FileLost, "%s", id)
		case got != hash:
			j.fail(FileLost, "%s has other bytes", id)
		default:
			present++
		}
	}
	j.tally("files", len(j.a.Files), present, []Check{FileLost}, nil, "")
}

func (j *judge) timelines() {
	last := map[string]int{}
	events := slices.Clone(j.f.Events)
	slices.SortStableFunc(events, func(a, b Event) int { return a.N - b.N })
	for _, e := range events {
		if e.N != last[e.Ticket]+1 {
			j.fail(TimelineGap, "%s: %d follows %d", e.Ticket, e.N, last[e.Ticket])
		}
		last[e.Ticket] = e.N
	}
	j.tally("timeline entries", len(events), len(events), []Check{TimelineGap}, nil, "")
}

func (j *judge) clocks() {
	clocks := 0
	fired := map[dueEvent]int{}
	for _, e := range j.f.Events {
		fired[e.due()]++
	}
	for _, t := range j.f.Tickets {
		for name, c := range t.Clocks {
			clocks++
			if c.Used+c.Remaining != c.Budget || c.Explained != c.Used {
				j.fail(ClockWrong, "%s %s: %s used, %s by the explanation, and %s remaining are not %s", t.Number, name, c.Used, c.Explained, c.Remaining, c.Budget)
			}
			if c.UsedWhilePaused != 0 {
				j.fail(ClockRan, "%s %s: %s", t.Number, name, c.UsedWhilePaused)
			}
			if c.Budget != j.f.Targets[name] {
				j.fail(TargetWrong, "%s %s: %s", t.Number, name, c.Budget)
			}
			breached := fired[dueEvent{t.Number, name, "breached"}] > 0
			if !breached && j.passed(t, c) {
				j.fail(PromiseLost, "%s %s, with %s remaining", t.Number, name, c.Remaining)
			}
			if goal, reminds := j.f.Reminders[name]; reminds && (breached || c.Used > goal) && fired[dueEvent{t.Number, name, "reminded"}] == 0 {
				j.fail(ReminderLost, "%s %s, with %s used", t.Number, name, c.Used)
			}
		}
	}
	j.tally("clocks", clocks, clocks-j.count(ClockWrong, ClockRan, TargetWrong), []Check{PromiseLost, ReminderLost}, nil,
		"lost: deadlines without an outcome, and reminders")
}

// passed reports whether a deadline has passed, though the promise may have been kept afterwards and the ticket be closed. What happens
// at the instant of the deadline is too late, except in an emergency, which began before it.
func (j *judge) passed(t Ticket, c Clock) bool {
	switch {
	case c.Remaining < 0:
		return true
	case !c.MetAt.IsZero():
		return c.Remaining == 0 && !j.inEmergency(c.MetAt)
	}
	return c.Running && !c.Breached && t.Status != "closed" && !c.Due.After(j.at())
}

// at is an instant at which all work was done.
func (j *judge) at() (at time.Time) {
	for _, e := range j.f.Events {
		if e.Recorded.After(at) {
			at = e.Recorded
		}
	}
	return at
}

func (j *judge) workflows() {
	owing := map[string]bool{}
	for _, d := range j.f.Deliveries {
		if d.Ticket != "" && d.Status == "owed" {
			owing[d.Ticket] = true
		}
	}
	needed := 0
	for _, t := range j.f.Tickets {
		needs := t.Status != "closed" || t.Undecided > 0 || !t.Next.IsZero() || owing[t.Number]
		if needs {
			needed++
		}
		switch {
		case needs && !t.Running:
			j.fail(WorkflowMissing, "%s (%s)", t.Number, t.Status)
		case !needs && t.Running:
			j.fail(WorkflowLeft, "%s (%s)", t.Number, t.Status)
		}
	}
	missing := j.count(WorkflowMissing)
	j.tally("tickets that need a workflow", needed, needed-missing, []Check{WorkflowMissing}, nil, fmt.Sprint(j.count(WorkflowLeft), " workflows without need"))
}
