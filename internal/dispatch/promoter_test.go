package dispatch_test

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/logtest"
	"github.com/holesalemart/supportdesk/worker"
	"github.com/holesalemart/supportdesk/workflows"
)

const deploymentName = "desk"

// release is a worker with a promoter that looks often.
func release(t *testing.T, s *desktest.Site, build, identity string, manual bool) (stop func()) {
	t.Helper()
	return releaseWith(t, s, build, identity, dispatch.PromoterOptions{Manual: manual, Every: 100 * time.Millisecond, Grace: time.Second})
}

func releaseWith(t *testing.T, s *desktest.Site, build, identity string, o dispatch.PromoterOptions) (stop func()) {
	t.Helper()
	return releaseOf(t, s, worker.Version{Deployment: deploymentName, Build: build}, identity, o, slog.New(slog.DiscardHandler))
}

func releaseOf(t *testing.T, s *desktest.Site, v worker.Version, identity string, o dispatch.PromoterOptions, log *slog.Logger) (stop func()) {
	t.Helper()
	stopWorker := workAs(t, s, identity, v)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = dispatch.NewPromoter(dispatch.NewDeployment(s.Temporal, v.Deployment), v.Build, identity, o, log).Run(ctx) // nil
	}()
	stop = func() {
		cancel()
		<-ended
		stopWorker()
	}
	t.Cleanup(stop)
	return stop
}

func state(t *testing.T, s *desktest.Site) dispatch.DeploymentState {
	t.Helper()
	return stateOf(t, s, dispatch.NewDeployment(s.Temporal, deploymentName))
}

func stateOf(t *testing.T, s *desktest.Site, d *dispatch.Deployment) dispatch.DeploymentState {
	t.Helper()
	var found dispatch.DeploymentState
	s.Await("the state of the deployment", func() bool {
		var err error
		found, err = d.State(t.Context())
		return err == nil // Temporal answers a few requests a second
	})
	return found
}

func workersOf(s dispatch.DeploymentState, build string) int {
	for _, v := range s.Versions {
		if v.Build == build {
			return v.Workers
		}
	}
	return 0
}

func awaitCurrent(t *testing.T, s *desktest.Site, build string) {
	t.Helper()
	s.Await(build+" to be current", func() bool { return state(t, s).Current == build })
}

// A worker that starts is unknown for a moment, and tickets wait for it.
func TestPromoter_looksOftenUntilItsVersionHasTasks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	seldom := dispatch.PromoterOptions{Every: time.Hour}
	releaseWith(t, s, "v1", "one", seldom)
	awaitCurrent(t, s, "v1")
	releaseWith(t, s, "v2", "two", seldom)
	awaitCurrent(t, s, "v2")
}

func TestPromoter_theFirstAndANewVersionAndTheOneThatIsLeftTakeOver(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	release(t, s, "v1", "one", true)
	awaitCurrent(t, s, "v1") // also by hand: nothing else could run
	stopSecond := release(t, s, "v2", "two", false)
	awaitCurrent(t, s, "v2")
	stopManual := release(t, s, "v3", "three", true)
	s.Await("a worker of v3", func() bool { return workersOf(state(t, s), "v3") == 1 })
	stopManual()
	// A worker of the older version that starts again changes nothing: it has taken its first look when it polls.
	release(t, s, "v1", "another", false)
	s.Await("both workers of v1", func() bool { return workersOf(state(t, s), "v1") == 2 })
	if now := state(t, s); now.Current != "v2" {
		t.Errorf("%s took over from v2, which has a worker", now.Current)
	}
	s.Tell(number, s.Submit(number))
	s.Await("the submission", func() bool { return s.State(number).Command == 1 })
	stopSecond()
	awaitCurrent(t, s, "v1")
	s.Ask(number, note)
	if n := len(s.Events(number)); n != 2 {
		t.Errorf("%d events", n)
	}
}

// Back to a release whose workers have no version, and forward again: a ticket moves with its next task both times.
func TestPromoter_leavesTicketsToWorkersWithoutAVersionWhileTheyPoll(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	d := dispatch.NewDeployment(s.Temporal, deploymentName)
	stopFirst := release(t, s, "v1", "one", false)
	awaitCurrent(t, s, "v1")
	s.Tell(number, s.Submit(number))
	s.Await("the submission", func() bool { return s.State(number).Command == 1 })
	stopOld := s.Work()
	s.Await("a promotion", func() bool { return d.Promote(t.Context(), dispatch.Unversioned, false) == nil })
	stopFirst()
	s.Ask(number, note)
	again := release(t, s, "v1", "two", false)
	s.Await("a worker of v1", func() bool { return workersOf(state(t, s), "v1") == 1 })
	if now := state(t, s); now.Current != dispatch.Unversioned {
		t.Errorf("%s took over from workers that poll", now.Current)
	}
	stopOld()
	awaitCurrent(t, s, "v1")
	s.Ask(number, note)
	if n := len(s.Events(number)); n != 3 {
		t.Errorf("%d events", n)
	}
	again()
}

// A deployment that was renamed with the same build, and back: nothing else tells the two apart than its name.
func TestPromoter_takesTicketsFromADeploymentOfAnotherNameThatHasNoWorkers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	often := dispatch.PromoterOptions{Every: 100 * time.Millisecond, Grace: time.Second}
	start := func(deployment, identity string) (stop func()) {
		return releaseOf(t, s, worker.Version{Deployment: deployment, Build: "v1"}, identity, often, slog.New(slog.DiscardHandler))
	}
	stop := start(deploymentName, "one")
	awaitCurrent(t, s, "v1")
	s.Tell(number, s.Submit(number))
	s.Await("the submission", func() bool { return s.State(number).Command == 1 })
	for i, deployment := range []string{"renamed", deploymentName, "renamed"} {
		stop()
		stop = start(deployment, deployment+strings.Repeat("'", i))
		s.Ask(number, note)
	}
	if n := len(s.Events(number)); n != 4 {
		t.Errorf("%d events", n)
	}
}

func TestPromoter_warnsThatAnotherDeploymentHasTheTicketsUntilAnOperatorMovesThem(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	stopFirst := release(t, s, "v1", "one", true)
	awaitCurrent(t, s, "v1")
	s.Tell(number, s.Submit(number))
	s.Await("the submission", func() bool { return s.State(number).Command == 1 })

	first, second := dispatch.NewDeployment(s.Temporal, deploymentName), dispatch.NewDeployment(s.Temporal, "typo")
	log := new(logtest.Buffer)
	manual := dispatch.PromoterOptions{Manual: true, Every: 100 * time.Millisecond}
	stopSecond := releaseOf(t, s, worker.Version{Deployment: "typo", Build: "v1"}, "two", manual, slog.New(slog.NewTextHandler(log, nil)))
	s.Await("a warning", func() bool { return log.Contains("level=WARN") && log.Contains("other="+deploymentName) })
	s.Await("the reason", func() bool {
		return says(second.Holds(t.Context()), "the deployment desk has the task queue of tickets: its version v1 gets them (workers that poll: 1)")
	})
	s.Await("no reason of the other", func() bool { return first.Holds(t.Context()) == nil })
	if found := stateOf(t, s, second); found.Holder != (dispatch.Holder{Deployment: deploymentName, Build: "v1", Workers: 1}) {
		t.Errorf("its state is %+v", found)
	}

	move := func(to, from *dispatch.Deployment) {
		t.Helper()
		s.Await("a promotion", func() bool { return to.Promote(t.Context(), "v1", false) == nil })
		s.Await("the task queue", func() bool { return to.Holds(t.Context()) == nil })
		s.Await("its loss", func() bool { return says(from.Holds(t.Context()), "the deployment ") })
		if found := stateOf(t, s, to); found.Current != "v1" || found.Versions[0].Share != 100 {
			t.Errorf("the state is %+v", found)
		}
		s.Ask(number, note)
	}
	move(second, first)
	if found := stateOf(t, s, first); found.Holder.Deployment != "typo" || found.Versions[0].Share != 0 {
		t.Errorf("the state of the first is %+v", found)
	}
	s.Await("the ticket among those of other deployments", func() bool {
		found := stateOf(t, s, first)
		return first.CountTickets(t.Context(), &found) == nil && found.Elsewhere == 1
	})
	move(first, second)
	stopFirst()
	move(second, first)
	stopSecond()
}

func TestDeployment_reportsTheRampOfAnotherUntilAnOperatorEndsIt(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	log := new(logtest.Buffer)
	manual := dispatch.PromoterOptions{Manual: true, Every: 100 * time.Millisecond}
	releaseOf(t, s, worker.Version{Deployment: deploymentName, Build: "v1"}, "one", manual, slog.New(slog.NewTextHandler(log, nil)))
	awaitCurrent(t, s, "v1")
	releaseOf(t, s, worker.Version{Deployment: "typo", Build: "v9"}, "two", manual, slog.New(slog.DiscardHandler))

	ours, other := dispatch.NewDeployment(s.Temporal, deploymentName), dispatch.NewDeployment(s.Temporal, "typo")
	ramp := func(share float32) {
		t.Helper()
		s.Await("a ramp", func() bool { return other.Ramp(t.Context(), "v9", share) == nil })
		want := dispatch.Holder{Deployment: "typo", Build: "v9", Share: share, Workers: 1}
		s.Await("the ramp in the state", func() bool { return stateOf(t, s, ours).Ramper == want })
		if others, err := dispatch.NewDeployment(s.Temporal, "").Others(t.Context()); err != nil || !slices.Contains(others, want) {
			t.Errorf("for workers without a version: %+v, %v", others, err)
		}
		if found := stateOf(t, s, ours); found.Versions[0].Share != 100-share || !slices.Equal(found.Others(), []dispatch.Holder{want}) {
			t.Errorf("the state is %+v", found)
		}
	}
	ramp(10)
	s.Await("a warning", func() bool { return log.Contains("level=WARN") && log.Contains("other=typo version=v9 share=10") })
	if err := ours.Holds(t.Context()); err != nil {
		t.Errorf("a worker that gets most of the tickets is not ready: %v", err)
	}
	ramp(100)
	if err := ours.Holds(t.Context()); !says(err, "the deployment typo ramps its version v9, which gets 100% of the tickets (workers that poll: 1)") {
		t.Errorf("a worker that gets no tickets: %v", err)
	}
	s.Await("a promotion", func() bool { return ours.Promote(t.Context(), "v1", false) == nil })
	s.Await("the end of the ramp", func() bool {
		found := stateOf(t, s, ours)
		return len(found.Others()) == 0 && found.Versions[0].Share == 100 && ours.Holds(t.Context()) == nil
	})
}

func TestDeployment_countsTicketsThatNoVersionHasTakenOn(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	d := dispatch.NewDeployment(s.Temporal, deploymentName)
	stop := s.Work()
	s.Tell(number, s.Submit(number))
	s.Await("the end of what the submission causes", func() bool {
		d, err := s.Temporal.DescribeWorkflowExecution(t.Context(), workflows.TicketID(number), "")
		return err == nil && s.State(number).Command == 1 && d.GetPendingWorkflowTask() == nil && len(d.GetPendingActivities()) == 0
	})
	stop()
	release(t, s, "v1", "one", false)
	awaitCurrent(t, s, "v1")
	awaitTickets := func(want map[string]int64) {
		t.Helper()
		s.Await("the numbers of tickets", func() bool {
			found := state(t, s)
			if err := d.CountTickets(t.Context(), &found); err != nil {
				t.Error(err)
			}
			counted := map[string]int64{}
			for _, v := range found.Versions {
				counted[v.Build] = v.Tickets
			}
			return maps.Equal(counted, want)
		})
	}
	awaitTickets(map[string]int64{"v1": 0, dispatch.Unversioned: 1})
	s.Ask(number, note)
	awaitTickets(map[string]int64{"v1": 1})
}

func TestDeployment_refusesAVersionWithoutWorkersAndKnowsWhatWasBefore(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	d := dispatch.NewDeployment(s.Temporal, deploymentName)
	if _, err := state(t, s).Previous(); !says(err, "no version had tasks before") {
		t.Errorf("before any worker: %v", err)
	}
	release(t, s, "v1", "one", false)
	awaitCurrent(t, s, "v1")
	stop := release(t, s, "v2", "two", true)
	ready := func(err error) bool { // not while it does not poll all queues yet, or Temporal is asked too often
		return err == nil
	}
	s.Await("a ramp", func() bool { return ready(d.Ramp(t.Context(), "v2", 25)) })
	if now := state(t, s); now.Ramping != "v2" || now.Share != 25 {
		t.Errorf("the ramp is %+v", now)
	}
	if before, err := state(t, s).Previous(); before != "v1" || err != nil {
		t.Errorf("a rollback leads to %q, %v", before, err)
	}
	s.Await("its end", func() bool { return ready(d.Ramp(t.Context(), "v2", 0)) })
	s.Await("a promotion", func() bool { return ready(d.Promote(t.Context(), "v2", false)) })
	if before, err := state(t, s).Previous(); before != "v1" || err != nil {
		t.Errorf("a rollback leads to %q, %v", before, err)
	}
	s.Await("a refusal", func() bool { return says(d.Ramp(t.Context(), "v2", 10), "version v2 is current") })
	s.Await("a refusal", func() bool { return says(d.Promote(t.Context(), "v9", true), "the deployment desk has no version v9") })
	for _, build := range []string{"v9", dispatch.Unversioned} {
		s.Await("a refusal", func() bool { return says(d.Promote(t.Context(), build, false), "no worker polls for version") })
	}
	stop()
	s.Await("a refusal", func() bool { return says(d.Ramp(t.Context(), "v2", 10), "no worker polls for version v2") })
}
