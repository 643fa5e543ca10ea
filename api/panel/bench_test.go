package panel_test

import (
	"net/http"
	"testing"

	"github.com/holesalemart/supportdesk/internal/demotest"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/sitetest"
)

// BenchmarkDesk asks for what agents look at all day, over HTTP, on a desk of 100,000 tickets. None may take 100 ms.
func BenchmarkDesk(b *testing.B) {
	filled := demotest.New(b, demotest.Many)
	o := newFixtureOn(b, sitetest.New(b, filled.Store))
	o.People["agent"] = filled.Agent
	agent := o.browser("agent")
	some, _, err := o.Desk.List(b.Context(), desk.Filter{Viewer: filled.Agent, Queue: desk.QueueMine, Limit: 1})
	if err != nil || len(some) == 0 {
		b.Fatalf("the agent has no ticket: %v", err)
	}
	path := "/desk/tickets/" + string(some[0].Number)
	for name, path := range map[string]string{
		"mine": "/desk", "unassigned": "/desk?queue=unassigned", "due soon": "/desk?queue=due-soon", "breached": "/desk?queue=breached",
		"waiting": "/desk?queue=waiting", "resolved": "/desk?queue=resolved", "all": "/desk?queue=all",
		"closed": "/desk?queue=all&status=closed", "urgent": "/desk?queue=all&priority=urgent&status=unfinished",
		"requester": "/desk?queue=all&requester=Customer+1", "search": "/desk?queue=all&q=pallet", "search nothing": "/desk?queue=all&q=zzzz",
		"ticket": path + "?queue=mine",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				agent.get(path).wantStatus(http.StatusOK)
			}
		})
	}
	b.Run("live part of a ticket", func(b *testing.B) {
		for b.Loop() {
			agent.get(path+"?queue=mine&part=live", byScript...).wantStatus(http.StatusOK)
		}
	})
}
