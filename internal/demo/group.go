package demo

import (
	"context"
	"fmt"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// groups are what a policy's assignment rules could name, each with some of the cast's agents, by number.
var groups = []struct {
	handle, title string
	members       []int
}{
	{"orders", "Demo: orders and delivery", []int{0, 1, 2}},
	{"money", "Demo: payments and returns", []int{2, 3}},
}

// absence is how long the last of the agents is away.
const absence = 3 * day

// form makes the groups of a demo, and has somebody be away for some days. A group that is there already keeps its
// members.
func form(ctx context.Context, k keeper, cast Cast, now time.Time) error {
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
			return fmt.Errorf("make the group %s: %w", g.handle, err)
		}
	}
	last := cast.Agents[len(cast.Agents)-1]
	if len(cast.Agents) < agents {
		return nil // whoever is left is needed
	}
	if _, err := k.LeaveDesk(ctx, cast.Supervisor, last.Handle, now.Add(absence)); err != nil {
		return fmt.Errorf("have %s be away: %w", last.Name, err)
	}
	return nil
}
