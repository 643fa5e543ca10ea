package workflows_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

// The mails of a desk wait for a slow server while many tickets are submitted.
func TestMails_ofOtherTicketsOvertakeTheReceiptsOfARush(t *testing.T) {
	t.Parallel()
	const rush, slots = 30, 8
	s := desktest.NewSite(t, policy.Default())
	s.Work()
	s.Tell(number, s.Submit(number))
	s.Await("the receipt", func() bool { return s.State(number).Command == 1 && len(s.Unsettled(number)) == 0 })

	var mu sync.Mutex
	var order []ticket.MailKind
	released := make(chan struct{})
	s.OnMail(func(ctx context.Context, m ticket.Owed) (bool, error) {
		mu.Lock()
		order = append(order, m.Kind)
		mu.Unlock()
		select {
		case <-released:
		case <-ctx.Done():
		}
		return false, ctx.Err()
	})
	tried := func() []ticket.MailKind {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(order)
	}
	queued := func(n ticket.Number) bool {
		d, err := s.Temporal.DescribeWorkflowExecution(t.Context(), workflows.TicketID(n), "")
		return err == nil && len(d.GetPendingActivities()) == 1
	}
	for i := range rush {
		n := ticket.Number(fmt.Sprintf("HM-RUSH%05d", i))
		s.Tell(n, s.Submit(n))
		s.Await("its receipt to be queued", func() bool { return queued(n) })
	}
	s.Await("all places to be taken", func() bool { return len(tried()) == slots })
	s.Ask(number, words(alice, ticket.VerbAgentReply))
	s.Await("the mail about the reply to be queued", func() bool { return queued(number) })
	close(released)
	s.Await("all mails", func() bool { return len(tried()) == rush+1 })
	at := slices.IndexFunc(tried(), func(k ticket.MailKind) bool { return k != ticket.MailReceipt })
	if at < slots || at >= 2*slots { // as many tries begin at the same time as there are places
		t.Errorf("the mail was tried as number %d of %d", at+1, rush+1)
	}
}
