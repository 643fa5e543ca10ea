package activities_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/testsuite"

	"github.com/holesalemart/supportdesk/activities"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var transition = ticket.Transition{At: time.Date(2026, 11, 2, 10, 0, 0, 0, time.UTC), Verb: ticket.VerbEmergencyPause, Emergency: "E-0000000001"}

// fanoutFixture has open tickets that have not applied a transition.
type fanoutFixture struct {
	mu       sync.Mutex
	behind   []ticket.Number
	notified []ticket.Number
	later    []time.Duration
	takes    time.Duration // of a notification
	updated  []time.Time   // when search attributes follow
	flying   int           // notified and not stepped; most at once
	most     int
	heeds    func(ticket.Number) bool
	fails    func(ticket.Number) error
	acts     []string
}

func newFanoutFixture(n int) *fanoutFixture {
	c := &fanoutFixture{heeds: func(ticket.Number) bool { return true }, fails: func(ticket.Number) error { return nil }}
	for i := range n {
		c.behind = append(c.behind, ticket.Number(fmt.Sprintf("HM-%010d", i)))
	}
	return c
}

func (c *fanoutFixture) OpenBefore(_ context.Context, _ time.Time, after ticket.Number, limit int) ([]ticket.Number, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i, found := slices.BinarySearch(c.behind, after)
	if found {
		i++
	}
	return slices.Clone(c.behind[i:min(i+limit, len(c.behind))]), nil
}

func (c *fanoutFixture) StillBehind(_ context.Context, _ time.Time, some []ticket.Number) ([]ticket.Number, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flying = 0
	return slices.DeleteFunc(slices.Clone(some), c.heeds), nil
}

func (c *fanoutFixture) CountSignals(context.Context, time.Time, int) error { return nil }

func (c *fanoutFixture) SignalTransition(_ context.Context, n ticket.Number, _ ticket.Transition, _ int64, later time.Duration) error {
	if err := c.fails(n); err != nil {
		return err
	}
	time.Sleep(c.takes)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.notified, c.later, c.updated = append(c.notified, n), append(c.later, later), append(c.updated, time.Now().Add(later))
	c.flying++
	c.most = max(c.most, c.flying)
	return nil
}

// Barrier and VerifyFanout record the order of their calls.
func (c *fanoutFixture) Barrier(context.Context) error {
	c.acts = append(c.acts, "barrier")
	return nil
}

func (c *fanoutFixture) VerifyFanout(context.Context, ticket.Transition) (ticket.FanoutCheck, error) {
	c.acts = append(c.acts, "check")
	return ticket.FanoutCheck{}, nil
}

func (c *fanoutFixture) Outlook(context.Context) (ticket.EmergencyOutlook, error) {
	return ticket.EmergencyOutlook{}, nil
}

func (c *fanoutFixture) Execute(context.Context, ticket.ManualEmergencyCommand) (ticket.ManualEmergencyResult, error) {
	return ticket.ManualEmergencyResult{}, nil
}

func (c *fanoutFixture) environment(o activities.FanoutOptions) *testsuite.TestActivityEnvironment {
	suite := &testsuite.WorkflowTestSuite{}
	suite.SetLogger(log.NewStructuredLogger(slog.New(slog.DiscardHandler)))
	env := suite.NewTestActivityEnvironment()
	e := activities.NewEmergencies(c, c, c, c, o)
	env.RegisterActivityWithOptions(e.NotifyTickets, activity.RegisterOptions{Name: "Tell"})
	env.RegisterActivityWithOptions(e.CheckTickets, activity.RegisterOptions{Name: "Prove"})
	return env
}

func notify(t *testing.T, env *testsuite.TestActivityEnvironment, r ticket.FanoutRequest) ticket.FanoutResult {
	t.Helper()
	r.Transition = transition
	value, err := env.ExecuteActivity("Tell", r)
	if err != nil {
		t.Fatalf("tell: %v", err)
	}
	var result ticket.FanoutResult
	if err := value.Get(&result); err != nil {
		t.Fatal(err)
	}
	return result
}

func TestNotifyTickets_notifiesEveryTicketOnce(t *testing.T) {
	c := newFanoutFixture(1000)
	result := notify(t, c.environment(activities.FanoutOptions{PerSecond: 1e6}), ticket.FanoutRequest{Total: 1000})
	slices.Sort(c.notified)
	if !slices.Equal(c.notified, c.behind) || !result.Done || result.Notified != 1000 || result.After != c.behind[999] {
		t.Errorf("%d notified, %+v", len(c.notified), result)
	}
}

func TestNotifyTickets_resumesFromTheHeartbeatOfAKilledWorker(t *testing.T) {
	c := newFanoutFixture(100)
	env := c.environment(activities.FanoutOptions{Page: 10})
	env.SetHeartbeatDetails(ticket.FanoutResult{After: c.behind[59], Notified: 60})
	result := notify(t, env, ticket.FanoutRequest{Total: 100})
	slices.Sort(c.notified)
	if !slices.Equal(c.notified, c.behind[60:]) || result.Notified != 100 {
		t.Errorf("notified %d from %v on, %+v", len(c.notified), c.notified[0], result)
	}
}

func TestNotifyTickets_waitsForTicketsToTakeTheirSteps(t *testing.T) {
	c := newFanoutFixture(500)
	notify(t, c.environment(activities.FanoutOptions{Page: 10, Window: 30, PerSecond: 1e6}), ticket.FanoutRequest{Total: 500})
	if c.most > 40 {
		t.Errorf("%d were notified that had not taken it up", c.most)
	}
}

func TestNotifyTickets_waitsNoLongerThanStall(t *testing.T) {
	c := newFanoutFixture(50)
	c.heeds = func(n ticket.Number) bool { return n != c.behind[7] }
	result := notify(t, c.environment(activities.FanoutOptions{Page: 5, Window: 1, Stall: time.Millisecond}), ticket.FanoutRequest{Total: 50})
	if !result.Done || result.Notified != 50 {
		t.Errorf("one ticket holds up the others: %+v", result)
	}
}

func TestNotifyTickets_aFailingTicketDelaysNoOther(t *testing.T) {
	c := newFanoutFixture(50)
	c.fails = func(n ticket.Number) error {
		if n == c.behind[7] {
			return fault.New(fault.Unavailable, "the workflow is busy")
		}
		return nil
	}
	result := notify(t, c.environment(activities.FanoutOptions{Page: 5, Stall: time.Millisecond}), ticket.FanoutRequest{Total: 50})
	if !result.Done || result.Notified != 49 {
		t.Errorf("%+v", result)
	}
}

func TestNotifyTickets_failsWhenTemporalIsAway(t *testing.T) {
	c := newFanoutFixture(50)
	c.fails = func(ticket.Number) error { return fault.New(fault.Unavailable, "Temporal is not responding") }
	if _, err := c.environment(activities.FanoutOptions{}).ExecuteActivity("Tell", ticket.FanoutRequest{Transition: transition}); err == nil {
		t.Error("it goes on past tickets that were not notified")
	}
}

// The first tickets' search attributes are updated at once. The others' wait until all are notified, and then follow one
// after the other.
func TestNotifyTickets_spreadsSearchAttributeUpdates(t *testing.T) {
	few := newFanoutFixture(100)
	notify(t, few.environment(activities.FanoutOptions{PerSecond: 1e6}), ticket.FanoutRequest{Total: 100, Began: time.Now()})
	if most := slices.Max(few.later); most != 0 {
		t.Errorf("of a few tickets one waits %s", most)
	}
	many := newFanoutFixture(10_000) // notified slowly
	notify(t, many.environment(activities.FanoutOptions{PerSecond: 1e6, Parallel: 1}), ticket.FanoutRequest{Total: 10_000, Began: time.Now().Add(-time.Hour)})
	perSecond := map[time.Duration]int{}
	for _, later := range many.later[512:] { // until a rate is known, the rest is a guess
		perSecond[later]++
	}
	for later, n := range perSecond {
		if n > 60 || later > time.Hour {
			t.Errorf("%d search attributes follow after %s", n, later)
		}
	}
	synctest.Test(t, func(t *testing.T) {
		fast := newFanoutFixture(5_000) // of 10,000, of which the others were notified in ten seconds
		fast.takes = 2 * time.Millisecond
		notify(t, fast.environment(activities.FanoutOptions{PerSecond: 1e6, Parallel: 1, Slice: time.Hour}),
			ticket.FanoutRequest{Total: 10_000, Notified: 5_000, Began: time.Now().Add(-10 * time.Second)})
		if most := slices.Max(fast.later); most > 26*time.Second {
			t.Errorf("where Temporal is fast, search attributes follow only after %s", most)
		}
	})
}

// The slower Temporal has been, the more its lists have to wait: updates that bunch would hold up people's commands.
func TestNotifyTickets_neverUpdatesSearchAttributesFasterThanItNotified(t *testing.T) {
	for _, perSecond := range []int{10, 15, 20, 40, 200} {
		synctest.Test(t, func(t *testing.T) {
			c := newFanoutFixture(1_000)
			c.takes = time.Second / time.Duration(perSecond)
			notify(t, c.environment(activities.FanoutOptions{Parallel: 1, Page: 64, Slice: time.Hour}), ticket.FanoutRequest{Total: 1_000, Began: time.Now()})
			slices.SortFunc(c.updated, time.Time.Compare)
			const some = 400 // delays are whole seconds. The first were estimated before there was a rate.
			for i := 300; i+some < len(c.updated); i++ {
				took := c.updated[i+some].Sub(c.updated[i])
				if rate := some / took.Seconds(); rate > 1.5*max(25, float64(perSecond)) {
					t.Fatalf("at %d per second, %.0f search attributes a second are updated", perSecond, rate)
				}
			}
		})
	}
}

func TestCheckFanout_waitsForWhatIsUnderWayFirst(t *testing.T) {
	c := newFanoutFixture(1)
	if _, err := c.environment(activities.FanoutOptions{}).ExecuteActivity("Prove", transition); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(c.acts, []string{"barrier", "check"}) {
		t.Errorf("asked for %q", c.acts)
	}
}
