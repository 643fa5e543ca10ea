package ticket_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const (
	flood  ticket.EmergencyID = "E-F100D00000"
	strike ticket.EmergencyID = "E-STR1KE0000"
	storm  ticket.EmergencyID = "E-ST0RM00000"
)

// closed returns an emergency between two times, in hours after the submission. It has no end if until is not after from.
func closed(id ticket.EmergencyID, from, until float64) ticket.Emergency {
	e := ticket.Emergency{ID: id, Kind: ticket.EmergencyClosed, From: at(from)}
	if until > from {
		e.Until = at(until)
	}
	return e
}

// delayed returns an emergency that delays targets. delays are pairs of a time, in hours after the submission, and a delay
// in hours.
func delayed(id ticket.EmergencyID, until float64, delays ...float64) ticket.Emergency {
	e := ticket.Emergency{ID: id, Kind: ticket.EmergencyDelayed, From: at(delays[0])}
	if until != 0 {
		e.Until = at(until)
	}
	for i := 0; i < len(delays); i += 2 {
		e.Delays = append(e.Delays, ticket.Delay{From: at(delays[i]), By: time.Duration(delays[i+1] * float64(time.Hour))})
	}
	return e
}

func schedule(emergencies ...ticket.Emergency) ticket.EmergencySchedule {
	return ticket.EmergencySchedule{Revision: 1, Emergencies: emergencies}
}

// message is a command with a message in a test table.
type message struct {
	hours float64
	by    ticket.Actor
	verb  ticket.Verb
}

// Times are in hours after the submission.
func TestTransitions_shiftDueEvents(t *testing.T) {
	answered := message{1, byAgent, ticket.VerbAgentReply} // so that only the resolution counts
	cases := map[string]struct {
		schedule  ticket.EmergencySchedule
		said      []message
		until     float64
		dueEvents []string
	}{
		"one over a deadline": {schedule(closed(flood, 150, 170)), []message{answered}, 230, []string{
			"paused 150", "resumed 170", "reminded resolution 180", "breached resolution 220", "escalated resolution step 1 220"}},
		"two in a row": {schedule(closed(flood, 10, 20), closed(strike, 20, 30)), []message{answered}, 221, []string{
			"paused 10", "paused 20", "resumed 20", "resumed 30", "reminded resolution 180", "breached resolution 220", "escalated resolution step 1 220"}},
		"two with a gap": {schedule(closed(flood, 10, 20), closed(strike, 21, 30)), []message{answered}, 220, []string{
			"paused 10", "resumed 20", "paused 21", "resumed 30", "reminded resolution 179", "breached resolution 219", "escalated resolution step 1 219"}},
		"overlapping": {schedule(closed(flood, 10, 40), closed(strike, 20, 30)), []message{answered}, 231, []string{
			"paused 10", "paused 20", "resumed 30", "resumed 40", "reminded resolution 190", "breached resolution 230", "escalated resolution step 1 230"}},
		"overlapping, the first ends first": {schedule(closed(flood, 10, 30), closed(strike, 20, 40)), []message{answered}, 231, []string{
			"paused 10", "paused 20", "resumed 30", "resumed 40", "reminded resolution 190", "breached resolution 230", "escalated resolution step 1 230"}},
		"inside waiting": {schedule(closed(flood, 20, 50)), []message{{10, byAgent, ticket.VerbRequestInformation}}, 300, []string{
			"paused 20", "resumed 50", "nudged 64", "resolved 112", "closed 160"}},
		"inside the silence of a resolved one": {schedule(closed(flood, 20, 50)), []message{{10, byAgent, ticket.VerbResolve}}, 300, []string{
			"paused 20", "resumed 50", "closed 88"}},
		"a deadline at its first instant": {schedule(closed(flood, 200, 210)), []message{answered}, 210, []string{
			"reminded resolution 160", "paused 200", "resumed 210", "breached resolution 210", "escalated resolution step 1 210"}},
		"a deadline a second before it": {schedule(closed(flood, 200+1./3600, 210)), []message{answered}, 200, []string{
			"reminded resolution 160", "breached resolution 200", "escalated resolution step 1 200"}},
		"a step inside it comes at the same distance after": {schedule(closed(flood, 210, 300)), []message{answered}, 400, []string{
			"reminded resolution 160", "breached resolution 200", "escalated resolution step 1 200", "paused 210", "resumed 300",
			"escalated resolution step 2 314"}},
		"over before the ticket": {schedule(closed(flood, -20, -10), delayed(strike, -1, -20, 48)), []message{answered}, 170, []string{"reminded resolution 160"}},
		"over at its submission": {schedule(closed(flood, -20, 0), closed(strike, -9, 1)), nil, 2, []string{"paused 0", "resumed 1"}},
		"accepted inside": {schedule(closed(flood, -20, 10)), []message{answered}, 171, []string{
			"paused 0", "resumed 10", "reminded resolution 170"}},
		"without an end": {schedule(closed(flood, 10, 0)), []message{answered}, 9000, []string{"paused 10"}},
		"delayed then closed": {schedule(delayed(flood, 30, 10, 48), closed(strike, 40, 50)), []message{answered}, 300, []string{
			"extended 10", "paused 40", "resumed 50", "reminded resolution 208.4", "breached resolution 258", "escalated resolution step 1 258", "escalated resolution step 2 282"}},
		"delayed inside closed": {schedule(closed(flood, 10, 40), delayed(strike, 30, 20, 48)), []message{answered}, 281, []string{
			"paused 10", "extended 20", "resumed 40", "reminded resolution 228.4", "breached resolution 278", "escalated resolution step 1 278"}},
		"accepted inside a delay that was changed": {schedule(delayed(flood, 30, -20, 48, -10, 10)), []message{answered}, 211, []string{
			"extended 0", "reminded resolution 168", "breached resolution 210", "escalated resolution step 1 210"}},
		"delayed more and less": {schedule(delayed(flood, 0, 10, 48, 20, 96, 30, 24)), []message{answered}, 225, []string{
			"extended 10", "extended 20", "extended 30", "reminded resolution 179.2", "breached resolution 224", "escalated resolution step 1 224"}},
		"delayed less than is used up": {schedule(delayed(flood, 0, 10, 48, 230, 0)), []message{answered}, 231, []string{
			"extended 10", "reminded resolution 198.4", "extended 230", "breached resolution 230", "escalated resolution step 1 230"}},
		"a delay taken back while waiting, when it was used up, and given again": {
			schedule(delayed(flood, 0, 10, 48, 242, 0, 250, 48)), []message{answered, {240, byAgent, ticket.VerbRequestInformation}, {252, byCustomer, ticket.VerbCustomerReply}}, 260, []string{
				"extended 10", "reminded resolution 198.4", "extended 242", "extended 250", "breached resolution 260", "escalated resolution step 1 260"}},
		"a change of a delay that was over by then": {schedule(delayed(flood, 30, 10, 48, 30, 96)), []message{answered}, 249, []string{
			"extended 10", "reminded resolution 198.4", "breached resolution 248", "escalated resolution step 1 248"}},
		"A, B, A": {schedule(closed(flood, 10, 20), closed(strike, 30, 40), delayed(storm, 60, 50, 10)), []message{answered}, 231, []string{
			"paused 10", "resumed 20", "paused 30", "resumed 40", "extended 50", "reminded resolution 188", "breached resolution 230", "escalated resolution step 1 230"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			for pace, live := range map[string]func(*fixture){
				"late":         func(f *fixture) { f.writeAll(c.said, 0); f.advance(c.until) },
				"hour by hour": func(f *fixture) { f.writeAll(c.said, 1); f.advanceBy(c.until, 1) },
				"now and then": func(f *fixture) { f.writeAll(c.said, 7); f.advanceBy(c.until, 37) },
			} {
				f := submittedDuring(t, plainPolicy, c.schedule)
				live(f)
				wantEqual(t, pace, automatic(f.events), c.dueEvents)
				if again := f.advance(c.until); len(again.Events) > 0 {
					t.Errorf("%s, and once more: %v", pace, automatic(again.Events))
				}
			}
		})
	}
}

// submittedDuring returns a fixture whose ticket was submitted under a schedule.
func submittedDuring(t *testing.T, document string, g ticket.EmergencySchedule) *fixture {
	t.Helper()
	p := parse(t, document)
	f := &fixture{t: t, policy: p, schedule: g, ticket: ticket.Draft(number, customer, 1, p)}
	f.mustDecide(0, byCustomer, ticket.Command{Verb: ticket.VerbSubmit, Message: 1, Priority: policy.PriorityNormal, Category: p.Categories[0]})
	return f
}

// writeAll sends the messages, with a step every pace hours in between, or none if pace is 0.
func (f *fixture) writeAll(sayings []message, pace float64) {
	f.t.Helper()
	for _, s := range sayings {
		f.advanceBy(s.hours, pace)
		f.write(s.hours, s.by, s.verb)
	}
}

func (f *fixture) advanceBy(hours, pace float64) {
	f.t.Helper()
	for h := pace; pace > 0 && h < hours; h += pace {
		f.advance(h)
	}
	if pace > 0 {
		f.advance(hours)
	}
}

func TestTransitions_overAWeekendTakeNothingFromBusinessHours(t *testing.T) {
	const officeHours = `
time_zone: UTC
hours: {monday: ["10:00-17:00"], tuesday: ["10:00-17:00"], wednesday: ["10:00-17:00"], thursday: ["10:00-17:00"], friday: ["10:00-17:00"]}
clocks: {first_response: {target: 35h, counts: business_hours}, resolution: {target: 10d, counts: calendar}}
`
	friday, monday := 4*24.0, 7*24.0 // 10:00
	for name, c := range map[string]struct {
		from, until       float64
		first, resolution float64 // deadlines, in hours
	}{
		"none":                       {-2, -1, friday + 7, 240},
		"from close to opening":      {friday + 7, monday, monday, 240 + 65}, // the budget's last second ends as it begins
		"an hour of Friday":          {friday + 6, monday, monday + 1, 240 + 66},
		"an hour of Monday":          {friday + 7, monday + 1, monday + 1, 240 + 66},
		"in the middle of a weekend": {friday + 10, friday + 20, friday + 7, 250},
	} {
		t.Run(name, func(t *testing.T) {
			f := submittedDuring(t, officeHours, schedule(closed(flood, c.from, c.until)))
			if got, err := ticket.Expected(f.ticket, f.desk()); err != nil || !got.FirstResponse.Equal(at(c.first)) || !got.Resolution.Equal(at(c.resolution)) {
				t.Errorf("expected %+v, want %s and %s: %v", got, at(c.first), at(c.resolution), err)
			}
			f.advance(c.until)
			if f.ticket.FirstResponse.BreachedAt.IsZero() {
				f.wantDue(policy.FirstResponse, c.first)
			} else {
				wantTime(t, "broken", f.ticket.FirstResponse.BreachedAt, c.first)
			}
			f.wantDue(policy.Resolution, c.resolution)
		})
	}
}

func TestTransitions_includeTheFirstInstantAndExcludeTheEnd(t *testing.T) {
	for name, c := range map[string]struct {
		from, until, answer float64
		broken              bool
	}{
		"at its beginning, due then":   {100, 120, 100, false},
		"inside":                       {90, 120, 110, false},
		"at its end, due then":         {100, 120, 120, true},
		"at its end, due later":        {99, 120, 120, false},
		"a second before it, due then": {100 + 1./3600, 120, 100, true},
	} {
		t.Run(name, func(t *testing.T) {
			f := submittedDuring(t, plainPolicy, schedule(closed(flood, c.from, c.until)))
			f.write(c.answer, byAgent, ticket.VerbAgentReply)
			if broken := !f.ticket.FirstResponse.BreachedAt.IsZero(); broken != c.broken {
				t.Errorf("broken: %v, want %v; %v", broken, c.broken, automatic(f.events))
			}
			if last := f.events[len(f.events)-1]; last.Kind != ticket.EventAgentReplied {
				t.Errorf("%s is recorded after the answer", last.Kind)
			}
		})
	}
}

func TestTransitions_waitForAnEarlierDueEvent(t *testing.T) {
	f := submittedDuring(t, plainPolicy, schedule(closed(flood, 80, 90), closed(strike, 95, 0)))
	weave := func(hours float64) ticket.Result {
		t.Helper()
		r, err := ticket.ApplyTransitions(f.ticket, f.desk(), at(hours))
		if err != nil {
			t.Fatal(err)
		}
		f.add(r)
		return r
	}
	weave(200)
	wantEqual(t, "before the reminder", automatic(f.events), nil)
	f.advance(75)
	weave(92)
	weave(200)
	wantEqual(t, "after it", automatic(f.events), []string{"reminded first_response 75", "paused 80", "resumed 90", "paused 95"})
	if m, ok := ticket.Next(f.ticket, f.policy); ok || f.ticket.PausingEmergency() != strike {
		t.Errorf("held by %q, %+v is next", f.ticket.PausingEmergency(), m)
	}
}

func TestTransitions_leaveClosedTicketsAlone(t *testing.T) {
	f := submittedDuring(t, plainPolicy, schedule(closed(flood, 10, 20), delayed(strike, 0, 30, 5)))
	f.write(15, byAgent, ticket.VerbResolve)
	f.do(16, byCustomer, ticket.VerbClose)
	f.advance(50)
	wantEqual(t, "due events", automatic(f.events), []string{"paused 10"})
	if f.ticket.InEmergency() || f.ticket.PausingEmergency() != "" || f.ticket.Paused() {
		t.Errorf("the closed ticket is %+v", f.ticket)
	}
}

// Only a defect removes an emergency that has begun, and it must not pause tickets for ever.
func TestTransitions_anUnknownEmergencyPausesNothing(t *testing.T) {
	f := submittedDuring(t, plainPolicy, schedule(closed(flood, 10, 0)))
	f.advance(15)
	f.schedule = schedule()
	f.advance(20)
	wantEqual(t, "due events", automatic(f.events), []string{"paused 10", "resumed 10"})
}

// Manual emergencies do not end or change desk-wide ones.
func TestManualEmergency_leavesTheDesksAlone(t *testing.T) {
	f := submittedDuring(t, plainPolicy, schedule(closed(flood, 10, 30)))
	for verb, code := range map[ticket.Verb]string{
		ticket.VerbEmergencyPause: ticket.CodeWholeDesk, ticket.VerbEmergencyExtend: ticket.CodeWholeDesk, ticket.VerbEmergencyResume: ticket.CodeWholeDesk,
	} {
		for _, hours := range []float64{1, 12} {
			if r := f.decide(hours, byOperator, ticket.Command{Verb: verb, Emergency: string(strike), Extension: time.Hour}); r.Outcome.Code != code {
				t.Errorf("%s by the name of one of the desk's at %gh is answered with %+v", verb, hours, r.Outcome)
			}
		}
	}
	for _, name := range []string{"", string(flood)} {
		if r := f.decide(13, bySupervisor, ticket.Command{Verb: ticket.VerbEmergencyResume, Emergency: name}); r.Outcome.Code != ticket.CodeWholeDesk {
			t.Errorf("the end of %q is answered with %+v", name, r.Outcome)
		}
	}
	f.mustDecide(20, byOperator, ticket.Command{Verb: ticket.VerbEmergencyPause, Emergency: "a fire next door"})
	f.advance(35)
	if f.ticket.FirstResponse.Clock.Running() || f.ticket.PausingEmergency() != "" {
		t.Error("the desk's end ended what was declared by hand")
	}
	f.mustDecide(40, byOperator, ticket.Command{Verb: ticket.VerbEmergencyResume})
	f.wantDue(policy.FirstResponse, 130)
}

func TestManualEmergency_endsBesideOneOfTheDesk(t *testing.T) {
	f := submittedDuring(t, plainPolicy, schedule(closed(flood, 10, 30)))
	f.mustDecide(5, byOperator, pause)
	f.mustDecide(20, byOperator, resume)
	if f.ticket.FirstResponse.Clock.Running() || f.ticket.PausingEmergency() != flood {
		t.Error("what was declared by hand ended the desk's emergency")
	}
	f.advance(40)
	f.wantDue(policy.FirstResponse, 125)
}

// Also if another emergency came in between.
func TestExtend_byANameUsedBeforeIsRefused(t *testing.T) {
	f := submitted(t, plainPolicy)
	b := extend
	b.Emergency = "B"
	for i, c := range []ticket.Command{extend, b, extend, b} {
		if r := f.decide(float64(i), bySupervisor, c); r.Outcome.Refused != (i >= 2) || i >= 2 && r.Outcome.Code != ticket.CodeNothing {
			t.Errorf("extension %d is answered with %+v", i+1, r.Outcome)
		}
	}
	f.wantDue(policy.Resolution, 296)
	f.mustDecide(5, bySupervisor, ticket.Command{Verb: ticket.VerbEmergencyPause, Emergency: "C"})
	f.mustDecide(6, bySupervisor, ticket.Command{Verb: ticket.VerbEmergencyResume})
	if r := f.decide(7, bySupervisor, ticket.Command{Verb: ticket.VerbEmergencyPause, Emergency: "C"}); r.Outcome.Code != ticket.CodeNothing {
		t.Errorf("a pause by a name that was is answered with %+v", r.Outcome)
	}
}

// There is no expected deadline after an emergency without an end.
func TestExpected_followsTheSchedule(t *testing.T) {
	for name, c := range map[string]struct {
		schedule          ticket.EmergencySchedule
		hours             float64
		first, resolution float64 // -1: none
	}{
		"nothing":                     {schedule(), 1, 100, 200},
		"in one with an end":          {schedule(closed(flood, 10, 60)), 20, 150, 250},
		"in one without":              {schedule(closed(flood, 10, 0)), 20, -1, -1},
		"before one without":          {schedule(closed(flood, 150, 0)), 20, 100, -1},
		"before one at a deadline":    {schedule(closed(flood, 100, 110)), 20, 110, 210},
		"before two":                  {schedule(closed(flood, 50, 60), closed(strike, 190, 200)), 20, 110, 220},
		"before a delay":              {schedule(delayed(flood, 0, 150, 10)), 20, 100, 210},
		"in a delay that will shrink": {schedule(delayed(flood, 0, 10, 30, 50, 10)), 20, 110, 210},
		"broken":                      {schedule(closed(flood, 150, 160)), 120, 100, 210},
	} {
		t.Run(name, func(t *testing.T) {
			f := submittedDuring(t, plainPolicy, c.schedule)
			f.advance(c.hours)
			before := f.ticket
			got, err := ticket.Expected(f.ticket, f.desk())
			if err != nil {
				t.Fatal(err)
			}
			for hours, due := range map[float64]time.Time{c.first: got.FirstResponse, c.resolution: got.Resolution} {
				if hours < 0 {
					wantZero(t, "expected", due)
				} else {
					wantTime(t, "expected", due, hours)
				}
			}
			if !reflect.DeepEqual(before, f.ticket) {
				t.Error("asking changed the ticket")
			}
		})
	}
}
