package main

import "github.com/holesalemart/supportdesk/internal/dispatch"

// versions reports that another deployment gets the tickets, and versions that get some and have no workers, although other
// versions have some.
func (d *doctor) versions() {
	deployment, err := d.deployment()
	if err != nil { // workers have no versions
		d.asks(temporalLimit, "give tickets to workers without a version", dispatch.NewDeployment(d.temporal, "").Holds)
		return
	}
	s, ok := ask(d, temporalLimit, "list the versions of the workers", deployment.State)
	if !ok {
		return
	}
	if s.Holder != (dispatch.Holder{}) {
		d.report("workers of the deployment %s get no tickets: %v", deployment.Name(), s.Holder)
	}
	for _, idle := range s.Versions {
		if idle.Share == 0 || idle.Workers > 0 {
			continue
		}
		for _, other := range s.Versions {
			if other.Workers > 0 {
				d.report("no worker polls for version %s, which gets %v%% of the tickets, but %d for %[4]s: supportdesk workers promote %[4]s",
					dispatch.BuildName(idle.Build), idle.Share, other.Workers, dispatch.BuildName(other.Build))
				break
			}
		}
	}
}
