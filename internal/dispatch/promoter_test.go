package dispatch_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/worker"
)

const deploymentName = "desk"

// release is a worker with a promoter that looks often.
func release(t *testing.T, s *desktest.Site, build, identity string, manual bool) (stop func()) {
	t.Helper()
	return releaseWith(t, s, build, identity, dispatch.PromoterOptions{Manual: manual, Every: 100 * time.Millisecond, Grace: time.Second})
}

func releaseWith(t *testing.T, s *desktest.Site, build, identity string, o dispatch.PromoterOptions) (stop func()) {
	t.Helper()
	stopWorker := workAs(t, s, identity, worker.Version{Deployment: deploymentName, Build: build})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = dispatch.NewPromoter(dispatch.NewDeployment(s.Temporal, deploymentName), build, identity, o, slog.New(slog.DiscardHandler)).Run(ctx) // nil
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
	var found dispatch.DeploymentState
	s.Await("the state of the deployment", func() bool {
		var err error
		found, err = dispatch.NewDeployment(s.Temporal, deploymentName).State(t.Context())
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
	for _, build := range []string{"v9", dispatch.Unversioned} {
		s.Await("a refusal", func() bool { return says(d.Promote(t.Context(), build, false), "no worker polls for version") })
	}
	stop()
	s.Await("a refusal", func() bool { return says(d.Ramp(t.Context(), "v2", 10), "no worker polls for version v2") })
}
