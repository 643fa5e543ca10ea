package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// groups are groups for assignment rules, each with some of the agents, by index.
var groups = []struct {
	handle, title string
	members       []int
}{
	{"orders", "Demo: orders and delivery", []int{0, 1, 2}},
	{"money", "Demo: payments and returns", []int{2, 3}},
}

// awayFor is how long the last agent is away.
const awayFor = 3 * day

// createGroups creates the groups and sets one agent as away. An existing group keeps its members.
func createGroups(ctx context.Context, k store, cast People, now time.Time) error {
	for _, g := range groups {
		err := k.MakeGroup(ctx, cast.Supervisor, g.handle, g.title)
		if fault.KindOf(err) == fault.Conflict {
			continue
		}
		for _, i := range g.members {
			if err == nil && i < len(cast.Agents) {
				err = k.JoinGroup(ctx, cast.Supervisor, g.handle, cast.Agents[i].Handle)
			}
		}
		if err != nil {
			return fmt.Errorf("create group %s: %w", g.handle, err)
		}
	}
	last := cast.Agents[len(cast.Agents)-1]
	if len(cast.Agents) < agents {
		return nil // the remaining agents are needed
	}
	if _, err := k.LeaveDesk(ctx, cast.Supervisor, last.Handle, now.Add(awayFor)); err != nil {
		return fmt.Errorf("set %s away: %w", last.Name, err)
	}
	return nil
}
