package main

import (
	"context"
	"slices"
	"strings"
	"testing"

	"go.temporal.io/sdk/client"

	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/temporaltest"
)

// Every command that needs Temporal reports within seconds that it is down. Those about workers need no database.
func TestCommands_sayThatTemporalIsAway(t *testing.T) {
	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	for _, command := range []string{"workers list", "workers promote v1", "workers ramp v1 10", "workers rollback"} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			got := call(t, nil, strings.Fields(command)...)
			if got.failure == nil || !strings.HasPrefix(got.failure.Error(), "Temporal has not answered within 10s: ") ||
				!strings.Contains(got.failure.Error(), "Temporal is not responding: ") {
				t.Errorf("it ends with %v", got.failure)
			}
		})
	}
}

// Temporal stops answering as soon as it has made a change: a deployment script must not take that for a failure.
func TestWorkers_aChangeThatWasMadeIsNoFailure(t *testing.T) {
	t.Parallel()
	server := temporaltest.Start(t)
	temporal, err := dispatch.Connect(dispatch.Options{Address: server.HostPort, Namespace: client.DefaultNamespace})
	if err != nil {
		t.Fatal(err)
	}
	defer temporal.Close()
	var stdout, stderr strings.Builder
	p := &program{ctx: t.Context(), stdout: &stdout, stderr: &stderr}
	err = p.changeWorkers(dispatch.NewDeployment(temporal, "desk"), func(context.Context) error {
		server.Freeze()
		return nil
	})
	defer server.Thaw()
	if err != nil || !strings.HasPrefix(stderr.String(), "the change was made; list the versions: Temporal has not answered within 10s") {
		t.Errorf("it ends with %v and %q", err, stderr.String())
	}
}

func TestWorkers_listSaysWhoElseGetsTickets(t *testing.T) {
	deployment := dispatch.NewDeployment(nil, "desk")
	typo := dispatch.Holder{Deployment: "typo", Build: "v9", Workers: 1}
	ramp := typo
	ramp.Share = 10
	const promote = "supportdesk workers promote VERSION moves all tickets to a version of this deployment, desk"
	for name, c := range map[string]struct {
		state   dispatch.DeploymentState
		counted bool
		want    []string
	}{
		"none": {dispatch.DeploymentState{}, true, nil},
		"tickets of versions of another deployment": {dispatch.DeploymentState{Elsewhere: 3}, true,
			[]string{"open tickets whose last task was taken by a version of another deployment: 3"}},
		"a ramp of another": {dispatch.DeploymentState{Ramper: ramp}, true,
			[]string{"the deployment typo ramps its version v9, which gets 10% of the tickets (workers that poll: 1)", promote}},
		"the task queue is another's": {dispatch.DeploymentState{Holder: typo}, true,
			[]string{"the deployment typo has the task queue of tickets: its version v9 gets them (workers that poll: 1)", promote}},
		"tickets of no version": {dispatch.DeploymentState{Current: "v1", Versions: []dispatch.DeploymentVersion{
			{Build: "v1", Status: "current", Share: 100, Workers: 2, Tickets: 5}, {Build: dispatch.Unversioned, Status: "inactive", Tickets: 7},
		}}, true, []string{"v1 current 100% 2 5 -", "unversioned inactive - 0 7 -"}},
		"not counted": {dispatch.DeploymentState{Current: "v1", Versions: []dispatch.DeploymentVersion{
			{Build: "v1", Status: "current", Workers: 2},
		}}, false, []string{"v1 current 0% 2 - -"}},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout strings.Builder
			if err := (&program{stdout: &stdout}).printWorkers(deployment, c.state, c.counted); err != nil {
				t.Fatal(err)
			}
			var got []string
			for line := range strings.Lines(stdout.String()) {
				got = append(got, strings.Join(strings.Fields(line), " "))
			}
			if want := append([]string{"VERSION STATUS SHARE WORKERS OPEN TICKETS CREATED"}, c.want...); !slices.Equal(got, want) {
				t.Errorf("it prints %q, want %q", got, want)
			}
		})
	}
}

func TestWorkers_aShareIsANumber(t *testing.T) {
	for _, share := range []string{"NaN", "-1", "101"} {
		if got := call(t, nil, "workers", "ramp", "v1", "--", share); got.failure == nil || !strings.Contains(got.failure.Error(), "not a number from 0 to 100") {
			t.Errorf("%s: it ends with %v", share, got.failure)
		}
	}
}
