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

// closed is an emergency between two numbers of hours after the birth; one that does not end after its beginning has no
// end.
func closed(id ticket.EmergencyID, from, until float64) ticket.Emergency {
	e := ticket.Emergency{ID: id, Kind: ticket.EmergencyClosed, From: at(from)}
	if until > from {
		e.Until = at(until)
	}
	return e
}

// delayed makes targets longer by so many hours, from so many hours on.
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

func gate(emergencies ...ticket.Emergency) ticket.Gate {
	return ticket.Gate{Revision: 1, Emergencies: emergencies}
}

// said is a command of a table's ticket.
type said struct {
	hours float64
	by    ticket.Actor
	verb  ticket.Verb
}

// TestWeave_movesWhatFallsDue, whatever the emergency and however late the step: hours are counted from the birth.
func TestWeave_movesWhatFallsDue(t *testing.T) {
	answered := said{1, byAgent, ticket.VerbAgentReply} // so that only the resolution counts
	cases := map[string]struct {
		gate    ticket.Gate
		said    []said
		until   float64
		moments []string
	}{
		"one over a deadline": {gate(closed(flood, 150, 170)), []said{answered}, 230, []string{
			"paused 150", "resumed 170", "reminded resolution 180", "breached resolution 220", "escalated resolution rung 1 220"}},
		"two in a row": {gate(closed(flood, 10, 20), closed(strike, 20, 30)), []said{answered}, 221, []string{
			"paused 10", "paused 20", "resumed 20", "resumed 30", "reminded resolution 180", "breached resolution 220", "escalated resolution rung 1 220"}},
		"two with a gap": {gate(closed(flood, 10, 20), closed(strike, 21, 30)), []said{answered}, 220, []string{
			"paused 10", "resumed 20", "paused 21", "resumed 30", "reminded resolution 179", "breached resolution 219", "escalated resolution rung 1 219"}},
		"overlapping": {gate(closed(flood, 10, 40), closed(strike, 20, 30)), []said{answered}, 231, []string{
			"paused 10", "paused 20", "resumed 30", "resumed 40", "reminded resolution 190", "breached resolution 230", "escalated resolution rung 1 230"}},
		"overlapping, the first ends first": {gate(closed(flood, 10, 30), closed(strike, 20, 40)), []said{answered}, 231, []string{
			"paused 10", "paused 20", "resumed 30", "resumed 40", "reminded resolution 190", "breached resolution 230", "escalated resolution rung 1 230"}},
		"inside waiting": {gate(closed(flood, 20, 50)), []said{{10, byAgent, ticket.VerbRequestInformation}}, 300, []string{
			"paused 20", "resumed 50", "nudged 64", "resolved 112", "closed 160"}},
		"inside the silence of a resolved one": {gate(closed(flood, 20, 50)), []said{{10, byAgent, ticket.VerbResolve}}, 300, []string{
			"paused 20", "resumed 50", "closed 88"}},
		"a deadline at its first instant": {gate(closed(flood, 200, 210)), []said{answered}, 210, []string{
			"reminded resolution 160", "paused 200", "resumed 210", "breached resolution 210", "escalated resolution rung 1 210"}},
		"a deadline a second before it": {gate(closed(flood, 200+1./3600, 210)), []said{answered}, 200, []string{
			"reminded resolution 160", "breached resolution 200", "escalated resolution rung 1 200"}},
		"a rung inside it comes at the same distance after": {gate(closed(flood, 210, 300)), []said{answered}, 400, []string{
			"reminded resolution 160", "breached resolution 200", "escalated resolution rung 1 200", "paused 210", "resumed 300",
			"escalated resolution rung 2 314"}},
		"over before the ticket": {gate(closed(flood, -20, -10), delayed(strike, -1, -20, 48)), []said{answered}, 170, []string{"reminded resolution 160"}},
		"over at its submission": {gate(closed(flood, -20, 0), closed(strike, -9, 1)), nil, 2, []string{"paused 0", "resumed 1"}},
		"accepted inside": {gate(closed(flood, -20, 10)), []said{answered}, 171, []string{
			"paused 0", "resumed 10", "reminded resolution 170"}},
		"without an end": {gate(closed(flood, 10, 0)), []said{answered}, 9000, []string{"paused 10"}},
		"delayed then closed": {gate(delayed(flood, 30, 10, 48), closed(strike, 40, 50)), []said{answered}, 300, []string{
			"extended 10", "paused 40", "resumed 50", "reminded resolution 208.4", "breached resolution 258", "escalated resolution rung 1 258", "escalated resolution rung 2 282"}},
		"delayed inside closed": {gate(closed(flood, 10, 40), delayed(strike, 30, 20, 48)), []said{answered}, 281, []string{
			"paused 10", "extended 20", "resumed 40", "reminded resolution 228.4", "breached resolution 278", "escalated resolution rung 1 278"}},
		"accepted inside a delay that was changed": {gate(delayed(flood, 30, -20, 48, -10, 10)), []said{answered}, 211, []string{
			"extended 0", "reminded resolution 168", "breached resolution 210", "escalated resolution rung 1 210"}},
		"delayed more and less": {gate(delayed(flood, 0, 10, 48, 20, 96, 30, 24)), []said{answered}, 225, []string{
			"extended 10", "extended 20", "extended 30", "reminded resolution 179.2", "breached resolution 224", "escalated resolution rung 1 224"}},
		"delayed less than is used up": {gate(delayed(flood, 0, 10, 48, 230, 0)), []said{answered}, 231, []string{
			"extended 10", "reminded resolution 198.4", "extended 230", "breached resolution 230", "escalated resolution rung 1 230"}},
		"a delay taken back while waiting, when it was used up, and given again": {
			gate(delayed(flood, 0, 10, 48, 242, 0, 250, 48)), []said{answered, {240, byAgent, ticket.VerbRequestInformation}, {252, byCustomer, ticket.VerbCustomerReply}}, 260, []string{
				"extended 10", "reminded resolution 198.4", "extended 242", "extended 250", "breached resolution 260", "escalated resolution rung 1 260"}},
		"a change of a delay that was over by then": {gate(delayed(flood, 30, 10, 48, 30, 96)), []said{answered}, 249, []string{
			"extended 10", "reminded resolution 198.4", "breached resolution 248", "escalated resolution rung 1 248"}},
		"A, B, A": {gate(closed(flood, 10, 20), closed(strike, 30, 40), delayed(storm, 60, 50, 10)), []said{answered}, 231, []string{
			"paused 10", "resumed 20", "paused 30", "resumed 40", "extended 50", "reminded resolution 188", "breached resolution 230", "escalated resolution rung 1 230"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			for pace, live := range map[string]func(*life){
				"late":         func(l *life) { l.all(c.said, 0); l.until(c.until) },
				"hour by hour": func(l *life) { l.all(c.said, 1); l.upTo(c.until, 1) },
				"now and then": func(l *life) { l.all(c.said, 7); l.upTo(c.until, 37) },
			} {
				l := submittedUnder(t, plain, c.gate)
				live(l)
				same(t, pace, moments(l.events), c.moments)
				if again := l.until(c.until); len(again.Events) > 0 {
					t.Errorf("%s, and once more: %v", pace, moments(again.Events))
				}
			}
		})
	}
}

// submittedUnder is a life whose ticket is accepted while the gate is, or will be, so.
func submittedUnder(t *testing.T, document string, g ticket.Gate) *life {
	t.Helper()
	p := parse(t, document)
	l := &life{t: t, policy: p, gate: g, ticket: ticket.Draft(number, customer, 1, p)}
	l.granted(0, byCustomer, ticket.Command{Verb: ticket.VerbSubmit, Message: 1, Priority: policy.PriorityNormal, Category: p.Categories[0]})
	return l
}

// all lets everything be said, with a step every so many hours in between; 0: without.
func (l *life) all(sayings []said, pace float64) {
	l.t.Helper()
	for _, s := range sayings {
		l.upTo(s.hours, pace)
		l.says(s.hours, s.by, s.verb)
	}
}

func (l *life) upTo(hours, pace float64) {
	l.t.Helper()
	for h := pace; pace > 0 && h < hours; h += pace {
		l.until(h)
	}
	if pace > 0 {
		l.until(hours)
	}
}

// TestWeave_overAWeekend takes nothing off a clock of business hours that would have stood still anyway.
func TestWeave_overAWeekend(t *testing.T) {
	const office = `
time_zone: UTC
hours: {monday: ["10:00-17:00"], tuesday: ["10:00-17:00"], wednesday: ["10:00-17:00"], thursday: ["10:00-17:00"], friday: ["10:00-17:00"]}
clocks: {first_response: {target: 35h, counts: business_hours}, resolution: {target: 10d, counts: calendar}}
`
	friday, monday := 4*24.0, 7*24.0 // 10:00
	for name, c := range map[string]struct {
		from, until       float64
		first, resolution float64 // due, in hours
	}{
		"none":                       {-2, -1, friday + 7, 240},
		"from close to opening":      {friday + 7, monday, monday, 240 + 65}, // the budget's last second ends as it begins
		"an hour of Friday":          {friday + 6, monday, monday + 1, 240 + 66},
		"an hour of Monday":          {friday + 7, monday + 1, monday + 1, 240 + 66},
		"in the middle of a weekend": {friday + 10, friday + 20, friday + 7, 250},
	} {
		t.Run(name, func(t *testing.T) {
			l := submittedUnder(t, office, gate(closed(flood, c.from, c.until)))
			if got, err := ticket.Expected(l.ticket, l.desk()); err != nil || !got.FirstResponse.Equal(at(c.first)) || !got.Resolution.Equal(at(c.resolution)) {
				t.Errorf("expected %+v, want %s and %s: %v", got, at(c.first), at(c.resolution), err)
			}
			l.until(c.until)
			if l.ticket.FirstResponse.BreachedAt.IsZero() {
				l.due(policy.FirstResponse, c.first)
			} else {
				instant(t, "broken", l.ticket.FirstResponse.BreachedAt, c.first)
			}
			l.due(policy.Resolution, c.resolution)
		})
	}
}

// TestWeave_anAnswerAtAnEdge counts as inside at an emergency's first instant and as outside at the first one after it.
func TestWeave_anAnswerAtAnEdge(t *testing.T) {
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
			l := submittedUnder(t, plain, gate(closed(flood, c.from, c.until)))
			l.says(c.answer, byAgent, ticket.VerbAgentReply)
			if broken := !l.ticket.FirstResponse.BreachedAt.IsZero(); broken != c.broken {
				t.Errorf("broken: %v, want %v; %v", broken, c.broken, moments(l.events))
			}
			if told := l.events[len(l.events)-1]; told.Kind != ticket.EventAgentReplied {
				t.Errorf("%s is told after the answer", told.Kind)
			}
		})
	}
}

// TestWeave_waitsForAMomentThatIsDueBefore an edge: it comes in its own time.
func TestWeave_waitsForAMomentThatIsDueBefore(t *testing.T) {
	l := submittedUnder(t, plain, gate(closed(flood, 80, 90), closed(strike, 95, 0)))
	weave := func(hours float64) ticket.Result {
		t.Helper()
		r, err := ticket.Weave(l.ticket, l.desk(), at(hours))
		if err != nil {
			t.Fatal(err)
		}
		l.keep(r)
		return r
	}
	weave(200)
	same(t, "before the reminder", moments(l.events), nil)
	l.until(75)
	weave(92)
	weave(200)
	same(t, "after it", moments(l.events), []string{"reminded first_response 75", "paused 80", "resumed 90", "paused 95"})
	if m, ok := ticket.Next(l.ticket, l.policy); ok || l.ticket.Held() != strike {
		t.Errorf("held by %q, %+v is next", l.ticket.Held(), m)
	}
}

// TestWeave_aClosedTicketIsLeftAlone, and is held by nobody.
func TestWeave_aClosedTicketIsLeftAlone(t *testing.T) {
	l := submittedUnder(t, plain, gate(closed(flood, 10, 20), delayed(strike, 0, 30, 5)))
	l.says(15, byAgent, ticket.VerbResolve)
	l.does(16, byCustomer, ticket.VerbClose)
	l.until(50)
	same(t, "moments", moments(l.events), []string{"paused 10"})
	if l.ticket.InEmergency() || l.ticket.Held() != "" || l.ticket.Paused() {
		t.Errorf("the closed ticket is %+v", l.ticket)
	}
}

// TestWeave_whatTheGateForgotHoldsNobody: only a defect can take back what has begun, and no ticket is to stand still
// for ever by it.
func TestWeave_whatTheGateForgotHoldsNobody(t *testing.T) {
	l := submittedUnder(t, plain, gate(closed(flood, 10, 0)))
	l.until(15)
	l.gate = gate()
	l.until(20)
	same(t, "moments", moments(l.events), []string{"paused 10", "resumed 10"})
}

// TestGate_byHand: what is declared on one ticket leaves the desk's emergencies alone.
func TestGate_byHand(t *testing.T) {
	l := submittedUnder(t, plain, gate(closed(flood, 10, 30)))
	for verb, code := range map[ticket.Verb]string{
		ticket.VerbEmergencyPause: ticket.CodeWholeDesk, ticket.VerbEmergencyExtend: ticket.CodeWholeDesk, ticket.VerbEmergencyResume: ticket.CodeWholeDesk,
	} {
		for _, hours := range []float64{1, 12} {
			if r := l.take(hours, byHand, ticket.Command{Verb: verb, Emergency: string(strike), Extension: time.Hour}); r.Outcome.Code != code {
				t.Errorf("%s by the name of one of the desk's at %gh is answered with %+v", verb, hours, r.Outcome)
			}
		}
	}
	for _, name := range []string{"", string(flood)} {
		if r := l.take(13, bySupervisor, ticket.Command{Verb: ticket.VerbEmergencyResume, Emergency: name}); r.Outcome.Code != ticket.CodeWholeDesk {
			t.Errorf("the end of %q is answered with %+v", name, r.Outcome)
		}
	}
	l.granted(20, byHand, ticket.Command{Verb: ticket.VerbEmergencyPause, Emergency: "a fire next door"})
	l.until(35)
	if l.ticket.FirstResponse.Clock.Running() || l.ticket.Held() != "" {
		t.Error("the desk's end ended what was declared by hand")
	}
	l.granted(40, byHand, ticket.Command{Verb: ticket.VerbEmergencyResume})
	l.due(policy.FirstResponse, 130)
}

func TestGate_byHandWithinTheDesks(t *testing.T) {
	l := submittedUnder(t, plain, gate(closed(flood, 10, 30)))
	l.granted(5, byHand, pause)
	l.granted(20, byHand, resume)
	if l.ticket.FirstResponse.Clock.Running() || l.ticket.Held() != flood {
		t.Error("what was declared by hand ended the desk's emergency")
	}
	l.until(40)
	l.due(policy.FirstResponse, 125)
}

// TestExtend_thatWasDeclaredBeforeIsNotDeclaredAgain, also when another one came in between.
func TestExtend_thatWasDeclaredBeforeIsNotDeclaredAgain(t *testing.T) {
	l := submitted(t, plain)
	b := extend
	b.Emergency = "B"
	for i, c := range []ticket.Command{extend, b, extend, b} {
		if r := l.take(float64(i), bySupervisor, c); r.Outcome.Refused != (i >= 2) || i >= 2 && r.Outcome.Code != ticket.CodeNothing {
			t.Errorf("extension %d is answered with %+v", i+1, r.Outcome)
		}
	}
	l.due(policy.Resolution, 296)
	l.granted(5, bySupervisor, ticket.Command{Verb: ticket.VerbEmergencyPause, Emergency: "C"})
	l.granted(6, bySupervisor, ticket.Command{Verb: ticket.VerbEmergencyResume})
	if r := l.take(7, bySupervisor, ticket.Command{Verb: ticket.VerbEmergencyPause, Emergency: "C"}); r.Outcome.Code != ticket.CodeNothing {
		t.Errorf("a pause by a name that was is answered with %+v", r.Outcome)
	}
}

// TestExpected_goesByWhatIsPlanned, and promises nothing that hangs on an emergency without an end.
func TestExpected_goesByWhatIsPlanned(t *testing.T) {
	for name, c := range map[string]struct {
		gate              ticket.Gate
		hours             float64
		first, resolution float64 // -1: none
	}{
		"nothing":                     {gate(), 1, 100, 200},
		"in one with an end":          {gate(closed(flood, 10, 60)), 20, 150, 250},
		"in one without":              {gate(closed(flood, 10, 0)), 20, -1, -1},
		"before one without":          {gate(closed(flood, 150, 0)), 20, 100, -1},
		"before one at a deadline":    {gate(closed(flood, 100, 110)), 20, 110, 210},
		"before two":                  {gate(closed(flood, 50, 60), closed(strike, 190, 200)), 20, 110, 220},
		"before a delay":              {gate(delayed(flood, 0, 150, 10)), 20, 100, 210},
		"in a delay that will shrink": {gate(delayed(flood, 0, 10, 30, 50, 10)), 20, 110, 210},
		"broken":                      {gate(closed(flood, 150, 160)), 120, 100, 210},
	} {
		t.Run(name, func(t *testing.T) {
			l := submittedUnder(t, plain, c.gate)
			l.until(c.hours)
			before := l.ticket
			got, err := ticket.Expected(l.ticket, l.desk())
			if err != nil {
				t.Fatal(err)
			}
			for hours, due := range map[float64]time.Time{c.first: got.FirstResponse, c.resolution: got.Resolution} {
				if hours < 0 {
					never(t, "expected", due)
				} else {
					instant(t, "expected", due, hours)
				}
			}
			if !reflect.DeepEqual(before, l.ticket) {
				t.Error("asking changed the ticket")
			}
		})
	}
}
