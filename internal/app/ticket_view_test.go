package app_test

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// submission is the first command of every ticket in these tests.
var submission = ticket.Command{
	Seq: 1, Verb: ticket.VerbSubmit, By: customer.Actor(), At: submitted, Message: 1, Priority: policy.PriorityNormal, Category: "boats",
}

// recordAfter returns the record of a ticket after commands an hour apart.
func recordAfter(t *testing.T, p *policy.Policy, commands ...ticket.Command) desk.Record {
	t.Helper()
	state := ticket.State{Ticket: ticket.Draft(number, customer.ID, 1, p)}
	for i, c := range append([]ticket.Command{submission}, commands...) {
		c.Seq, c.At = int64(i+1), submitted.Add(time.Duration(i)*time.Hour)
		r, err := ticket.Decide(state.Ticket, ticket.Environment{Policy: p}, c)
		if err != nil || r.Outcome.Refused {
			t.Fatalf("%s: %+v %v", c.Verb, r.Outcome, err)
		}
		state = ticket.NewState(r.Ticket, p, c.Seq, 0, c.At)
	}
	return desk.Record{
		Number: number, Requester: desk.Ref{ID: customer.ID}, Submitted: submitted, State: &state, Submission: submission,
		Policy: 1, LastCommand: state.Command,
	}
}

// A page loaded before the first step shows the same as one loaded after it.
func TestTicket_showsTheStateAfterTheFirstStep(t *testing.T) {
	s, d := newTickets(parse(t, customerChoosesPolicy))
	taken := recordAfter(t, s.policies[1])
	waiting := taken
	waiting.State = nil
	var views []desk.View
	for _, r := range []desk.Record{taken, waiting} {
		s.records = []desk.Record{r}
		v, err := d.Ticket(context.Background(), customer, number)
		if err != nil {
			t.Fatal(err)
		}
		views = append(views, v)
	}
	if !reflect.DeepEqual(views[0].Ticket, views[1].Ticket) || !views[0].Next.Same(views[1].Next) || views[0].Next.Kind == "" {
		t.Errorf("shown\n %+v, next %+v\nbut it became\n %+v, next %+v",
			views[1].Ticket, views[1].Next, views[0].Ticket, views[0].Next)
	}
	if !views[0].Decided() || views[1].Decided() {
		t.Errorf("taken: %v, not yet taken: %v", views[0].Decided(), views[1].Decided())
	}
}

func TestPromised_returnsTheStateOfEachPromise(t *testing.T) {
	withMessage := func(verb ticket.Verb) ticket.Command {
		return ticket.Command{Verb: verb, By: agent.Actor(), Message: 2}
	}
	note := withMessage(ticket.VerbNote)
	at := func(hours int) time.Time { return submitted.Add(time.Duration(hours) * time.Hour) }
	cases := map[string]struct {
		commands []ticket.Command
		want     desk.Promised
	}{
		"new": {nil, desk.Promised{FirstResponse: desk.SLAState{Due: at(10)}, Resolution: desk.SLAState{Due: at(20)}}},
		"answered": {[]ticket.Command{withMessage(ticket.VerbAgentReply)}, desk.Promised{
			FirstResponse: desk.SLAState{Due: at(10), MetAt: at(1)}, Resolution: desk.SLAState{Due: at(20)},
		}},
		"waiting": {[]ticket.Command{note, withMessage(ticket.VerbRequestInformation)}, desk.Promised{
			FirstResponse: desk.SLAState{Due: at(10), MetAt: at(2)},
			Resolution:    desk.SLAState{Paused: []policy.Reason{policy.ReasonWaiting}},
		}},
		"answered late": {[]ticket.Command{note, note, note, note, note, note, note, note, note, withMessage(ticket.VerbAgentReply)}, desk.Promised{
			FirstResponse: desk.SLAState{Due: at(10), MetAt: at(10), BreachedAt: at(10)}, Resolution: desk.SLAState{Due: at(20)},
		}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s, d := newTickets(parse(t, customerChoosesPolicy))
			s.records = []desk.Record{recordAfter(t, s.policies[1], c.commands...)}
			v, err := d.Ticket(context.Background(), customer, number)
			if err != nil {
				t.Fatal(err)
			}
			if got := v.Promised(); !reflect.DeepEqual(got, c.want) {
				t.Errorf("promised %+v, want %+v", got, c.want)
			}
			tracked, err := d.Track(context.Background(), number)
			if err != nil {
				t.Fatal(err)
			}
			want := desk.Tracking{Number: number, Status: v.Ticket.Status, Submitted: submitted, Promises: c.want}
			if !reflect.DeepEqual(tracked, want) {
				t.Errorf("the number alone shows %+v, want %+v", tracked, want)
			}
		})
	}
}

func TestExplain_endsWithTheDeadline(t *testing.T) {
	s, d := newTickets(parse(t, customerChoosesPolicy))
	s.records = []desk.Record{recordAfter(t, s.policies[1])}
	v, err := d.Ticket(context.Background(), customer, number)
	if err != nil {
		t.Fatal(err)
	}
	until := submitted.Add(3 * time.Hour)
	for _, name := range policy.ClockNames() {
		want := v.Ticket.Promise(name).Clock.Explain(s.policies[1].Calendar, until)
		if got := v.Explain(name, until); !reflect.DeepEqual(got, want) || len(got) < 2 {
			t.Errorf("%s is explained as %+v, want %+v", name, got, want)
		}
	}
	if reflect.DeepEqual(v.Explain(policy.FirstResponse, until), v.Explain(policy.Resolution, until)) {
		t.Error("both clocks are explained alike")
	}
}

func TestList_returnsTicketsInOrder(t *testing.T) {
	s, d := newTickets(parse(t, customerChoosesPolicy))
	first, second := recordAfter(t, s.policies[1]), recordAfter(t, s.policies[1])
	second.Number = "HM-0000000001"
	s.records = []desk.Record{first, second}
	views, more, err := d.List(context.Background(), desk.Filter{Viewer: agent})
	if err != nil || !more || len(views) != 2 || views[0].Number != number || views[1].Number != second.Number {
		t.Errorf("listed %d, more %v: %v", len(views), more, err)
	}
	s.policyError = errAway
	if _, _, err := d.List(context.Background(), desk.Filter{}); !errors.Is(err, errAway) {
		t.Errorf("without its policy a ticket is listed: %v", err)
	}
	s.records = nil
	if views, _, err := d.List(context.Background(), desk.Filter{}); err != nil || views == nil || len(views) > 0 {
		t.Errorf("an empty list is %v: %v", views, err)
	}
}

func TestRead_returnsNotFound(t *testing.T) {
	s, d := newTickets(policy.Default())
	s.records, s.acceptError = []desk.Record{{}}, errAway
	ctx := context.Background()
	_, ticketErr := d.Ticket(ctx, customer, number)
	_, trackErr := d.Track(ctx, number)
	_, timelineErr := d.Timeline(ctx, customer, number)
	_, _, listErr := d.List(ctx, desk.Filter{})
	for _, err := range []error{ticketErr, trackErr, timelineErr, listErr} {
		if !errors.Is(err, errAway) {
			t.Errorf("answered %v", err)
		}
	}
}

// The targets of customerChoosesPolicy are 10 and 20 hours.
func TestSubmit_accountsForEmergencies(t *testing.T) {
	hours := func(n int) time.Time { return submitted.Add(time.Duration(n) * time.Hour) }
	both := func(first, resolution int) policy.Deadlines {
		return policy.Deadlines{FirstResponse: hours(first), Resolution: hours(resolution)}
	}
	closed := ticket.Emergency{ID: "E-0000000001", Kind: ticket.EmergencyClosed, From: hours(-1)}
	until := closed
	until.Until = hours(5)
	delayed := ticket.Emergency{ID: "E-0000000002", Kind: ticket.EmergencyDelayed, From: hours(-1), Delays: []ticket.Delay{{From: hours(-1), By: 3 * time.Hour}}}
	for name, c := range map[string]struct {
		schedule           []ticket.Emergency
		promises, expected policy.Deadlines
		resumesAt          time.Time
	}{
		"closed":       {[]ticket.Emergency{closed}, policy.Deadlines{}, policy.Deadlines{}, time.Time{}},
		"closed until": {[]ticket.Emergency{until}, policy.Deadlines{}, both(15, 25), hours(5)},
		"delayed":      {[]ticket.Emergency{delayed}, both(13, 23), both(13, 23), time.Time{}},
		"both":         {[]ticket.Emergency{until, delayed}, policy.Deadlines{}, both(18, 28), hours(5)},
	} {
		t.Run(name, func(t *testing.T) {
			s, d := newTickets(parse(t, customerChoosesPolicy))
			s.schedule = ticket.EmergencySchedule{Revision: 1, Emergencies: c.schedule}
			got, err := d.Submit(context.Background(), customer, desk.Submission{Number: number, Subject: "Leak", Body: "It sinks."})
			if err != nil || got.Promises != c.promises || got.Expected != c.expected || !got.ResumesAt.Equal(c.resumesAt) || len(got.Emergencies) != len(c.schedule) {
				t.Errorf("the receipt is %+v: %v", got, err)
			}
		})
	}
}
