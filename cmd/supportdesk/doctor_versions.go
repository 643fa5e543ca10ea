package main

import "github.com/holesalemart/supportdesk/internal/dispatch"

// versions reports that another deployment gets the tickets or a share of them, and versions that get some and have no workers, although other
// versions have some.
func (d *doctor) versions() {
	deployment, err := d.deployment()
	if err != nil { // workers have no versions
		others, _ := ask(d, temporalLimit, "ask who gets the tickets", dispatch.NewDeployment(d.temporal, "").Others)
		for _, other := range others {
			d.report("workers without a version do not get all tickets: %v", other)
		}
		return
	}
	s, ok := ask(d, temporalLimit, "list the versions of the workers", deployment.State)
	if !ok {
		return
	}
	if s.Holder != (dispatch.Holder{}) {
		d.report("workers of the deployment %s get no tickets: %v", deployment.Name(), s.Holder)
	}
	if s.Ramper != (dispatch.Holder{}) {
		d.report("workers of the deployment %s do not get all tickets: %v", deployment.Name(), s.Ramper)
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
