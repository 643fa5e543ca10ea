package store

import (
	"context"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// adopt gives a command the policy that it names. A version that isn't there the domain refuses.
func (l *locked) adopt(ctx context.Context, c *ticket.Command) (err error) {
	if c.Verb != ticket.VerbAdoptPolicy || c.Policy == 0 {
		return nil
	}
	c.Adopt, err = l.store.policy(ctx, l.tx, c.Policy)
	if fault.KindOf(err) == fault.NotFound {
		return nil
	}
	return err
}
