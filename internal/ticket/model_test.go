package ticket_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// TestModel_randomCommandsKeepTheInvariants sends random commands, valid and invalid, at random times, and checks the
// invariants of docs/architecture.md after each step.
func TestModel_randomCommandsKeepTheInvariants(t *testing.T) {
	seen := map[ticket.EventKind]bool{}
	versions := modelVersions(t)
	for version := range versions {
		t.Run(fmt.Sprint("version ", version), func(t *testing.T) {
			chosen := 0
			rapid.Check(t, func(t *rapid.T) {
				w := newModel(t, version, versions)
				w.run()
				w.finish()
				chosen += w.assignments.chosen
				for _, e := range w.events {
					seen[e.Kind] = true
				}
			})
			if rules := len(versions[version].Assignment); rules > 0 && chosen == 0 {
				t.Errorf("%d rules never chose", rules)
			}
		})
	}
	// A run without an event of some kind proves nothing about it.
	for _, kind := range slices.Concat(publicEvents, internalEvents) {
		if !seen[kind] {
			t.Errorf("no life came to %s", kind)
		}
	}
}

// modelVersions numbers the policies as versions.
func modelVersions(t testingT) map[int64]*policy.Policy {
	policies, versions := modelPolicies(t), map[int64]*policy.Policy{}
	for i, name := range slices.Sorted(maps.Keys(policies)) {
		versions[int64(i+1)] = policies[name]
	}
	return versions
}

// modelPolicies returns policies that differ as much as possible.
func modelPolicies(t testingT) map[string]*policy.Policy {
	return map[string]*policy.Policy{
		"holesalemart": policy.Default(),
		"plain":        parse(t, plainPolicy),
		"tight":        parse(t, prioritiesPolicy),
		"seconds": parse(t, `
time_zone: UTC
clocks:
  first_response: {target: 10s, counts: calendar, remind_at: 50%}
  resolution: {target: 30s, counts: calendar, remind_at: 80%, pauses: [waiting, resolved]}
priorities: {urgent: {first_response: 1s, resolution: 3s}}
silence: {nudge_after: 5s, resolve_after: 10s, close_after: 10s}
escalation: [{after: 0s, tell: [assignee], raise_priority: true}, {after: 5s, tell: [supervisors], raise_priority: true}, {after: 10s, tell: [administrators]}]
`),
		"berlin": parse(t, `
time_zone: Europe/Berlin
hours: {monday: ["09:00-12:00", "13:00-17:30"], tuesday: ["22:00-24:00"], wednesday: ["00:00-24:00"], saturday: ["01:30-03:30"], sunday: ["02:00-03:00", "04:00-05:00"]}
holidays: [{date: 2026-04-06}, {date: 2026-04-07}, {date: 2026-04-08}, {date: 2026-12-26}]
clocks:
  first_response: {target: 9h, counts: business_hours, remind_at: 99%}
  resolution: {target: 4d, counts: business_days, remind_at: 1%, pauses: [waiting]}
priorities: {low: {resolution: 9d}, high: {resolution: 36h}, urgent: {first_response: 20m, resolution: 90m}}
silence: {nudge_after: 12h, resolve_after: 36h, close_after: 10d}
escalation: [{after: 30m, tell: [assignee, supervisors], raise_priority: true}, {after: 2d, tell: [administrators], raise_priority: true}]
`),
		"staffed": parse(t, assignmentPolicy),
		"escalations": parse(t, `
time_zone: UTC
clocks:
  first_response: {target: 8h, counts: calendar, remind_at: 75%}
  resolution: {target: 2d, counts: calendar, pauses: [waiting]}
priorities: {urgent: {first_response: 1h, resolution: 6h}}
silence: {resolve_after: 20d, close_after: 10d}
escalation:
  - {after: 0s, priorities: [urgent], tell: [supervisors, {webhook: ops}]}
  - {after: 2h, priorities: [urgent], clocks: [first_response], tell: [administrators, {person: boss}], raise_priority: true}
  - {after: 0s, priorities: [low, normal], tell: [assignee], raise_priority: true}
  - {after: 3h, priorities: [high], tell: [{webhook: ops}, {webhook: watch}], raise_priority: true}
  - {after: 5h, tell: [assignee, {person: lee}]}
  - {after: 30h, clocks: [resolution], priorities: [low, high], tell: [administrators]}
`),
		"quiet": parse(t, `
time_zone: Australia/Lord_Howe
hours: {friday: ["10:00-16:00"]}
clocks:
  first_response: {target: 8h, counts: business_hours, pauses: [waiting, resolved]}
  resolution: {target: 3d, counts: business_days}
`),
	}
}

// model is a ticket under test with its clock and the oracles that check its events.
type model struct {
	t           *rapid.T
	policy      *policy.Policy // of the ticket now
	first       int64          // version at the submission
	versions    map[int64]*policy.Policy
	now         time.Time
	ticket      ticket.Ticket
	rosters     ticket.Rosters
	events      []ticket.Event
	checked     int // number of events that the oracles have checked
	seq         int64
	extensions  map[int64]time.Duration
	oracle      *timelineOracle
	schedule    ticket.EmergencySchedule
	schedules   []scheduleAt     // how it came to be
	commands    []ticket.Command // accepted
	staff       ticket.Rosters   // as they were at first
	mailed      bool             // the requester is owed mails
	omitsEvents bool             // the run is compared without some events, so no command refers to event numbers
	asking      []askingMail     // mails that asked the requester for an answer, in order
	assignments *assignmentOracle
}

func newModel(t *rapid.T, version int64, versions map[int64]*policy.Policy) *model {
	p := versions[version]
	w := &model{
		t: t, policy: p, first: version, versions: versions, ticket: ticket.Draft(number, customer, version, p), extensions: map[int64]time.Duration{},
		rosters: drawRosters(t, versions), mailed: rapid.IntRange(0, 3).Draw(t, "mailed") > 0, now: epoch.Add(time.Duration(rapid.IntRange(0, 365*24*3600).Draw(t, "birth")) * time.Second),
	}
	w.oracle = newTimelineOracle(p, newEmergencyOracle(func() ticket.EmergencySchedule { return w.schedule }), func(command int64) time.Duration { return w.extensions[command] })
	w.assignments, w.staff = newAssignmentOracle(p, w.rosters), w.rosters
	w.oracle.versions, w.assignments.versions = versions, versions
	for rapid.IntRange(0, 2).Draw(t, "emergency before") == 0 {
		w.changeSchedule()
		w.wait()
	}
	w.decide(ticket.Command{
		Verb: ticket.VerbSubmit, By: byCustomer, Message: 1, Category: p.Categories[0],
		Priority: rapid.SampledFrom(policy.Priorities()).Draw(t, "priority"),
	})
	w.checkInvariants()
	return w
}

func (w *model) desk() ticket.Environment { return w.deskWith(w.rosters) }

func (w *model) deskWith(r ticket.Rosters) ticket.Environment {
	return ticket.Environment{Policy: w.policy, Schedule: w.schedule, Rosters: r, RequesterDisabled: !w.mailed && w.ticket.Requester == customer}
}

func (w *model) run() {
	for range rapid.IntRange(1, 60).Draw(w.t, "steps") {
		if w.ticket.Closed() && w.events[len(w.events)-1].Kind == ticket.EventRefused {
			return // every further command would be refused, too
		}
		w.wait()
		switch rapid.SampledFrom([]string{"command", "command", "command", "nothing", "bounce", "news", "news", "news", "call fails", "schedule", "schedule"}).Draw(w.t, "what") {
		case "command":
			w.command()
		case "nothing":
			w.advance(w.now)
		case "bounce":
			w.bounce()
		case "news":
			w.reportDelivery()
		case "schedule":
			w.changeSchedule()
		case "call fails":
			w.giveUp()
		}
		w.checkInvariants()
	}
}

// wait advances the clock: by nothing, by some time, or to within a second of the next due event.
func (w *model) wait() {
	next, ok := ticket.Next(w.ticket, w.policy)
	pace := []time.Duration{time.Second, 0, 7 * time.Second, time.Minute, time.Hour, 5 * time.Hour, 31 * time.Hour, 6 * 24 * time.Hour}
	step := rapid.SampledFrom(pace).Draw(w.t, "wait")
	if ok && next.Due.Before(w.now.AddDate(0, 2, 0)) && rapid.Bool().Draw(w.t, "until next") {
		step = next.Due.Sub(w.now) + time.Duration(rapid.IntRange(-1, 1).Draw(w.t, "off by"))*time.Second
	}
	if soon := w.now.Add(max(step, 0)); soon.Before(epoch.AddDate(1, 8, 0)) {
		w.now = soon
	}
}

func (w *model) bounce() {
	r, err := ticket.RecordBounce(w.ticket, w.desk(), 1, 0, w.now)
	r.Rosters = w.rosters // it assigns no one
	w.add(r, err)
}

// askingMail is a mail that asked the requester for an answer.
type askingMail struct {
	ticket.Mail
	n       int
	at      time.Time // of its event
	bounced bool
}

// reportDelivery reports the delivery or the bounce of one of the latest asking mails, for the first time or again, early
// or late.
func (w *model) reportDelivery() {
	if len(w.asking) == 0 {
		return
	}
	m := &w.asking[max(0, len(w.asking)-1-rapid.IntRange(0, 3).Draw(w.t, "an older one"))]
	if rapid.IntRange(0, 3).Draw(w.t, "bounced") == 0 {
		w.undelivered(m)
		return
	}
	since := m.at.Add(rapid.SampledFrom([]time.Duration{0, time.Second, time.Hour, 90 * time.Hour, 1e6 * time.Hour}).Draw(w.t, "delivered"))
	w.deliver(*m, since)
}

func (w *model) deliver(m askingMail, since time.Time) {
	w.advance(w.now)
	w.checkInvariants()
	before := len(w.events)
	r, err := ticket.RecordDelivery(w.ticket, w.desk(), m.n, m.Event, since, w.now)
	w.add(r, err)
	if counts := w.oracle.unheard && m.Event == w.oracle.asking[len(w.oracle.asking)-1]; counts != (len(w.events) > before) {
		w.t.Fatalf("the news of mail %+v came to %+v, and it counts: %v", m, r.Events, counts)
	}
}

func (w *model) undelivered(m *askingMail) {
	m.bounced = true
	w.advance(w.now)
	w.checkInvariants()
	before := len(w.events)
	r, err := ticket.RecordBounce(w.ticket, w.desk(), m.n, m.Event, w.now)
	w.add(r, err)
	back := slices.ContainsFunc(w.events[before:], func(e ticket.Event) bool { return e.Kind == ticket.EventHandedBack })
	if counts := w.oracle.awaitsRequester() && slices.Contains(w.oracle.asking, m.Event); counts != back || back != (len(r.Mails) == 1) {
		w.t.Fatalf("the bounce of mail %+v came to %+v, and it counts: %v", m, r.Events, counts)
	}
}

func (w *model) giveUp() {
	r, err := ticket.RecordWebhookFailure(w.ticket, w.desk(), 1, "ops", w.now)
	r.Rosters = w.rosters // it assigns no one
	w.add(r, err)
}

func (w *model) advance(until time.Time) {
	r, err := ticket.Advance(w.ticket, w.desk(), until)
	w.add(r, err)
	if m, ok := ticket.Next(w.ticket, w.policy); ok && !m.Due.After(until) {
		w.t.Fatalf("after Advance to %s, %+v is next", until, m)
	}
	w.checkSnooze(until)
}

// checkSnooze checks that a snooze ends at its instant, or at the end of the emergency that contains it, with the ticket, and
// with a reply of the requester.
func (w *model) checkSnooze(now time.Time) {
	until := w.ticket.SnoozedUntil
	if until.IsZero() {
		return
	}
	if !until.After(now) && !w.ticket.InEmergency() || w.ticket.Closed() {
		w.t.Fatalf("at %s a ticket that is %s sleeps until %s", now, w.ticket.Status, until)
	}
	for _, e := range slices.Backward(w.events) {
		switch e.Kind {
		case ticket.EventSnoozed:
			return
		case ticket.EventCustomerReplied, ticket.EventResolved, ticket.EventReopened, ticket.EventHandedBack, ticket.EventWoke, ticket.EventClosed:
			w.t.Fatalf("it sleeps on after event %d, %s", e.N, e.Kind)
		case ticket.EventMailResent:
			if e.Status == ticket.StatusResolved {
				w.t.Fatalf("it sleeps on after event %d, which resolved it again", e.N)
			}
		}
	}
}

// command decides a random command, mostly a valid one.
func (w *model) command() {
	verb := rapid.SampledFrom(modelVerbs).Draw(w.t, "verb")
	if w.omitsEvents && verb == ticket.VerbChangeRequester || (w.omitsEvents || !w.mailed) && verb == ticket.VerbMergePerson {
		verb = ticket.VerbAddParticipant // a new requester is owed mails whose delivery counts; no one who is disabled is merged
	}
	by := rapid.SampledFrom(allowedActors(verb)).Draw(w.t, "by")
	c := ticket.Command{
		Verb: verb, By: by, Handle: "somebody",
		Message:   rapid.SampledFrom([]int64{5, 6, 7}).Draw(w.t, "message"),
		Assignee:  rapid.SampledFrom([]ticket.PersonID{agentOne, agentTwo}).Draw(w.t, "assignee"),
		Priority:  rapid.SampledFrom([]policy.Priority{"high", "low", "normal", "urgent", ""}).Draw(w.t, "to"),
		Category:  rapid.SampledFrom([]string{"", w.policy.Categories[0], w.policy.Categories[1]}).Draw(w.t, "category"),
		Emergency: rapid.SampledFrom([]string{"E-1", "", "E-2"}).Draw(w.t, "emergency"),
		Extension: rapid.SampledFrom([]time.Duration{3 * time.Second, time.Hour, 36 * time.Hour}).Draw(w.t, "by how much"),
	}
	if verb == ticket.VerbAssign && rapid.Bool().Draw(w.t, "guarded") {
		c.Guarded = true
		c.Expected = rapid.SampledFrom([]ticket.PersonID{"", agentOne, agentTwo}).Draw(w.t, "expected")
	}
	if !w.omitsEvents && rapid.Bool().Draw(w.t, "says what they saw") {
		c.Seen = rapid.IntRange(max(1, len(w.events)-3), max(1, len(w.events))).Draw(w.t, "seen")
	}
	if verb == ticket.VerbAdoptPolicy {
		c.Policy = rapid.Int64Range(1, int64(len(w.versions)+1)).Draw(w.t, "version")
		c.Adopt = w.versions[c.Policy]
	}
	if verb == ticket.VerbSnooze {
		c.Until = w.now.Add(time.Duration(rapid.SampledFrom([]int{5, 3600, 3 * 24 * 3600, 400 * 24 * 3600, -1}).Draw(w.t, "sleeps")) * time.Second)
	}
	if verb == ticket.VerbResend && len(w.asking) > 0 {
		m := w.asking[len(w.asking)-1]
		c.Resend = &ticket.BouncedMail{Mail: m.n, Kind: m.Kind, Person: m.Person, Event: m.Event, Bounced: m.bounced}
	}
	if verb.Takes("person") {
		c.Person = stranger
		if w.mailed && rapid.IntRange(0, 2).Draw(w.t, "the customer") == 0 { // acceptance takes no one who is disabled
			c.Person = customer
		}
	}
	if verb == ticket.VerbMergePerson {
		c.Seen = 0 // it is of an account and not of a person who looks at the ticket
		c.Merged, c.Person = stranger, customer
		if rapid.Bool().Draw(w.t, "the customer is the contact") {
			c.Merged, c.Person = customer, stranger
		}
		if by.Role == ticket.RoleCustomer {
			c.By.ID = c.Person
		}
	}
	c.Alone = rapid.IntRange(0, 3).Draw(w.t, "alone") == 0
	if rapid.IntRange(0, 7).Draw(w.t, "spoilt") == 7 {
		spoil(w.t, &c)
	}
	w.decide(c)
}

// modelVerbs holds verbs that keep a ticket open more often than those that close it.
var modelVerbs = []ticket.Verb{
	ticket.VerbCustomerReply, ticket.VerbRequestInformation, ticket.VerbAgentReply, ticket.VerbResolve, ticket.VerbReopen,
	ticket.VerbReclassify, ticket.VerbAssign, ticket.VerbEmergencyPause, ticket.VerbEmergencyExtend, ticket.VerbEmergencyResume,
	ticket.VerbCustomerReply, ticket.VerbRequestInformation, ticket.VerbResolve, ticket.VerbReopen, ticket.VerbReclassify,
	ticket.VerbEmergencyResume, ticket.VerbEmergencyResume, ticket.VerbProgressUpdate, ticket.VerbNote,
	ticket.VerbAcknowledge, ticket.VerbClose, ticket.VerbWithdraw, ticket.VerbAdoptPolicy, ticket.VerbAdoptPolicy,
	ticket.VerbResend, ticket.VerbResend, ticket.VerbResend, ticket.VerbSnooze, ticket.VerbWake,
	ticket.VerbAddParticipant, ticket.VerbAddParticipant, ticket.VerbRemoveParticipant, ticket.VerbChangeRequester, ticket.VerbLeave,
	ticket.VerbMergePerson,
}

// allowedActors returns who may use a verb.
func allowedActors(verb ticket.Verb) []ticket.Actor {
	var all []ticket.Actor
	for _, a := range []ticket.Actor{byCustomer, byStranger, byAgent, byOtherAgent, bySupervisor, byAdministrator, byOperator} {
		if ticket.MayAsk(a.Role, verb) && (verb != ticket.VerbClose || a.Role == ticket.RoleCustomer) {
			all = append(all, a)
		}
	}
	return all
}

// spoil changes a command so that it is likely to be refused.
func spoil(t *rapid.T, c *ticket.Command) {
	switch rapid.IntRange(0, 7).Draw(t, "how") {
	case 0:
		c.By = rapid.SampledFrom([]ticket.Actor{byStranger, byCustomer, byAgent, byOperator, byDesk}).Draw(t, "by another")
	case 1:
		c.Message, c.Assignee = 0, ""
	case 2:
		c.Priority = "bogus"
	case 3:
		c.Category = "bogus"
	case 4:
		c.Extension = rapid.SampledFrom([]time.Duration{0, -1, 1500 * time.Millisecond, 1 << 62}).Draw(t, "by what")
	case 5:
		c.Malformed = true
	case 6:
		c.Verb = rapid.SampledFrom([]ticket.Verb{"bogus", ticket.VerbSubmit}).Draw(t, "what")
	default:
		c.By, c.Verb = bySupervisor, ticket.VerbClose
	}
}

// decide decides a command accepted now in several ways that must agree: at once, and after timers that fire first, at any
// times up to the acceptance.
func (w *model) decide(c ticket.Command) {
	w.seq++
	c.Seq, c.At = w.seq, w.now
	w.extensions[c.Seq] = c.Extension
	w.commands = append(w.commands, c)
	before, err := json.Marshal(w.ticket)
	if err != nil {
		w.t.Fatal(err)
	}
	r, err := ticket.Decide(w.ticket, w.desk(), c)
	again, errAgain := ticket.Decide(w.ticket, w.desk(), c)
	if !reflect.DeepEqual(r, again) || (err == nil) != (errAgain == nil) {
		w.t.Fatalf("the same step gave two results:\n%+v\n%+v", r, again)
	}
	w.checkTimersFirst(c, r)
	if after, _ := json.Marshal(w.ticket); string(after) != string(before) {
		w.t.Fatalf("a step changed the ticket that it was given:\nfrom %s\n  to %s", before, after)
	}
	w.checkGuarded(c, r)
	w.checkUnseen(c, r)
	w.add(r, err)
}

// checkUnseen checks that a command is refused for unseen messages exactly if there are any.
func (w *model) checkUnseen(c ticket.Command, r ticket.Result) {
	blind := c.Seen > 0 && unseen(w.events, c.By, c.Seen) > 0
	if refused := r.Outcome.Code == ticket.CodeUnseen; refused && !blind || blind && !r.Outcome.Refused {
		w.t.Fatalf("%+v gives %+v", c, r.Outcome)
	}
}

// checkGuarded checks that a guarded assignment succeeds exactly if it names the current assignee.
func (w *model) checkGuarded(c ticket.Command, r ticket.Result) {
	has := w.ticket.Assignee
	for _, e := range r.Events {
		if e.Kind == ticket.EventAssigned && e.By == byDesk {
			has = e.Assignee // a breach has reassigned it
		}
	}
	knew := c.Expected == has
	if c.Verb == ticket.VerbAssign && c.Guarded && !r.Outcome.Refused && !knew || r.Outcome.Code == ticket.CodeTaken && (knew || !c.Guarded) {
		w.t.Fatalf("%+v of a ticket that %q has gives %+v", c, has, r.Outcome)
	}
}

func (w *model) checkTimersFirst(c ticket.Command, want ticket.Result) {
	at, rosters, events := w.ticket, w.rosters, []ticket.Event(nil)
	var mails []ticket.Mail
	var calls []ticket.WebhookCall
	for m, ok := ticket.Next(at, w.policy); ok && !m.Due.After(c.At); m, ok = ticket.Next(at, w.policy) {
		r, err := ticket.Advance(at, w.deskWith(rosters), m.Due)
		if err != nil || len(r.Events) == 0 {
			w.t.Fatalf("at %s nothing of %+v fell due: %v", m.Due, m, err)
		}
		at, rosters, events, mails = r.Ticket, r.Rosters, append(events, r.Events...), append(mails, r.Mails...)
		calls = append(calls, r.Calls...)
		// The state goes through a history on its way to the next step.
		at = roundTrip(w.t, ticket.NewState(at, w.policy, w.seq, len(mails), c.At)).Ticket
	}
	r, err := ticket.Decide(at, w.deskWith(rosters), c)
	if err != nil {
		w.t.Fatal(err)
	}
	r.Events, r.Mails, r.Calls = append(events, r.Events...), append(mails, r.Mails...), append(calls, r.Calls...)
	if !reflect.DeepEqual(r, want) {
		w.t.Fatalf("the order of timers and commands matters:\n got %+v\nwant %+v", r, want)
	}
}

func (w *model) add(r ticket.Result, err error) {
	if err != nil {
		w.t.Fatalf("a step failed: %v", err)
	}
	if r.MissingRoster != "" {
		w.t.Fatalf("the roster of %s is there and lacked", r.MissingRoster)
	}
	w.ticket, w.rosters = r.Ticket, r.Rosters
	w.events = append(w.events, r.Events...)
	checkMails(w.t, w.events, r.Mails)
	checkCalls(w.t, w.policy, r)
	w.policy = w.versions[r.Ticket.Policy] // a step that moves the ticket does so last
	for _, m := range r.Mails {
		if m.Event <= len(w.events)-len(r.Events) {
			w.t.Fatalf("mail %+v is owed by an event of an earlier step", m)
		}
		at := w.foldTo(m.Event)
		if m.Person != "" && !m.Kind.ToStaff() && (!at.Involves(m.Person) || m.Resends == 0 && !w.events[m.Event-1].ListedFor(m.Person)) {
			w.t.Fatalf("mail %+v goes to someone who may not see event %+v", m, w.events[m.Event-1])
		}
		if m.Asks != w.events[m.Event-1].Asks && m.Person == at.Requester || m.Asks && !w.mailed && m.Person == customer {
			w.t.Fatalf("mail %+v asks, or does not, unlike its event", m)
		}
		if m.Asks {
			w.asking = append(w.asking, askingMail{Mail: m, n: 1000 + len(w.asking), at: w.events[m.Event-1].At})
		}
	}
}

// finish advances by two years and checks that every escalation that was not stopped has fired all its steps, and that
// nothing is due for ever.
func (w *model) finish() {
	w.endEmergencies()
	if hand := slices.ContainsFunc(w.ticket.Emergencies, func(s ticket.EmergencyPeriod) bool { return s.Until.IsZero() && !s.ID.Valid() }); hand {
		w.decide(ticket.Command{Verb: ticket.VerbEmergencyResume, By: bySupervisor})
		w.checkInvariants()
	}
	w.deliverAll()
	w.advance(w.now.AddDate(1, 0, 0))
	w.checkInvariants()
	if w.ticket.AwaitsDelivery() {
		w.t.Fatal("a mail that asks is owed for ever")
	}
	if m, ok := ticket.Next(w.ticket, w.policy); ok && w.ticket.FirstResponse.Clock.Budget() < 1000*time.Hour {
		w.t.Fatalf("a year later %+v is still to come", m)
	}
	for _, name := range policy.ClockNames() {
		p := w.ticket.Promise(name)
		for i, step := range w.policy.Escalation {
			if p.Escalating() && step.AppliesTo(name, w.ticket.Priority) && !p.Fired(i+1) {
				w.t.Fatalf("%s: step %d never fired, of %+v", name, i+1, p)
			}
		}
	}
}

// deliverAll advances from one due event to the next for a year and delivers every asking mail at once.
func (w *model) deliverAll() {
	now := w.now
	defer func() { w.now = now }()
	for next, more := now, true; more && next.Before(now.AddDate(1, 0, 0)); {
		if next.After(w.now) {
			w.now = next
		}
		w.advance(w.now)
		w.checkInvariants()
		if w.ticket.AwaitsDelivery() {
			w.deliver(w.asking[len(w.asking)-1], w.now)
			w.checkInvariants()
		}
		m, due := ticket.Next(w.ticket, w.policy)
		transition, ahead := ticket.NextTransition(w.ticket, w.schedule)
		if next, more = m.Due, due || ahead; !due || ahead && transition.At.Before(m.Due) {
			next = transition.At
		}
	}
}

// checkInvariants compares the ticket with the fold of its events, with itself after a round trip through JSON, and with
// the oracles.
func (w *model) checkInvariants() {
	for i, e := range w.events {
		if e.N != i+1 {
			w.t.Fatalf("event %d has the number %d", i+1, e.N)
		}
	}
	fold := w.foldTo(len(w.events))
	w.checkReadings()
	if !reflect.DeepEqual(fold, w.ticket) || fold.Events != len(w.events) {
		w.t.Fatalf("the ticket is not the fold of its events:\n got %+v\nwant %+v", w.ticket, fold)
	}
	w.ticket = roundTrip(w.t, ticket.NewState(w.ticket, w.policy, w.seq, 0, w.now)).Ticket

	for ; w.checked < len(w.events); w.checked++ {
		err := w.oracle.read(w.events[w.checked])
		if err == nil {
			err = w.assignments.read(w.events[w.checked])
		}
		if err != nil {
			w.t.Fatalf("event %d: %v\n%+v", w.checked+1, err, w.events[w.checked])
		}
	}
	w.compareWithOracle()
}

// foldTo returns the ticket after an event.
func (w *model) foldTo(n int) ticket.Ticket {
	fold := ticket.Draft(number, ticket.FirstRequester(w.ticket.Requester, w.events), w.first, w.versions[w.first])
	for _, e := range w.events[:n] {
		fold = ticket.Apply(fold, e)
	}
	return fold
}

// checkReadings checks that the state counts the entries of each customer's timeline.
func (w *model) checkReadings() {
	readings := map[ticket.PersonID]int{w.ticket.Requester: w.ticket.LatestMessages.Listed}
	for _, p := range w.ticket.Participants {
		readings[p.ID] = p.Listed
	}
	if len(readings) != 1+len(w.ticket.Participants) {
		w.t.Fatalf("someone is in the ticket twice: %s, %+v", w.ticket.Requester, w.ticket.Participants)
	}
	for person, listed := range readings {
		n := 0
		for _, shown := range ticket.Listed(person, w.events) {
			if shown {
				n++
			}
		}
		if n != listed {
			w.t.Fatalf("the timeline of %s has %d entries, the state counts %d", person, n, listed)
		}
	}
}

// sameSteps reports whether exactly the escalation steps that the oracle expects have fired.
func sameSteps(p ticket.Promise, want map[int]bool, length int) bool {
	for n := 1; n <= length+1; n++ {
		if p.Fired(n) != want[n] {
			return false
		}
	}
	return true
}

// compareWithOracle compares the ticket with the oracle as of the last event.
func (w *model) compareWithOracle() {
	o := w.oracle
	if w.ticket.Status != o.status || w.ticket.InEmergency() != (o.paused() && o.status != ticket.StatusClosed) || w.ticket.Nudged != o.nudged || w.ticket.AwaitsDelivery() != o.unheard || w.ticket.Priority != o.priority {
		w.t.Fatalf("the ticket is %+v, the oracle says %s, emergency %v, nudged %v", w.ticket, o.status, o.emergency, o.nudged)
	}
	for _, name := range policy.ClockNames() {
		p, want := w.ticket.Promise(name), o.promises[name]
		used, budget := p.Clock.Used(w.policy.Calendar, o.now), p.Clock.Budget()
		if used != want.used && o.status != ticket.StatusClosed || budget != want.target+want.added {
			w.t.Fatalf("%s has used %s of %s, the oracle says %s of %s", name, used, budget, want.used, want.target+want.added)
		}
		if left := p.Clock.Remaining(w.policy.Calendar, o.now); used+left != budget {
			w.t.Fatalf("%s: %s used and %s left make %s", name, used, left, budget)
		}
		if p.Reminded != want.reminded || !p.BreachedAt.IsZero() != want.breached || !sameSteps(*p, want.fired, len(w.policy.Escalation)) ||
			p.Acknowledged != want.ended || p.Clock.Met() != want.settled || !p.MetAt.Equal(want.met) {
			w.t.Fatalf("%s is %+v, the oracle says %+v", name, p, want)
		}
		if due, running := p.Clock.Due(); running != p.Clock.Running() {
			w.t.Fatalf("%s is paused for %v, and is due %s", name, p.Clock.Reasons(), due)
		}
		if o.status != ticket.StatusClosed && !slices.Equal(p.Clock.Reasons(), o.reasons(name)) {
			w.t.Fatalf("%s is paused for %v, the oracle says %v", name, p.Clock.Reasons(), o.reasons(name))
		}
	}
}
