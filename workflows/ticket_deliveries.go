package workflows

import (
	"cmp"
	"slices"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// settled is a mail or webhook call that needs no more work, because it was sent or given up.
type settled struct {
	n       int
	bounced bool
	asks    bool
}

// deliveries sends a ticket's mails and webhook calls beside its main loop, in order for each recipient: a recipient
// whose mailbox is full holds up no other. Those not yet settled are kept in order and passed on to the next run.
type deliveries struct {
	number  ticket.Number
	owed    []ticket.Owed
	busy    map[string]bool  // recipients whose coroutines are running
	settled workflow.Channel // one message for each mail or call that is done
	stop    workflow.CancelFunc
	ctx     workflow.Context
	stopped bool
}

func newDeliveries(ctx workflow.Context, number ticket.Number) *deliveries {
	m := &deliveries{
		number: number, busy: map[string]bool{},
		settled: workflow.NewNamedBufferedChannel(ctx, "settled", 1024),
	}
	m.ctx, m.stop = workflow.WithCancel(ctx)
	return m
}

// add adds mails that are not among them yet, and starts a coroutine for each recipient who has none.
func (m *deliveries) add(mails []ticket.Owed) {
	for _, mail := range mails {
		at, has := slices.BinarySearchFunc(m.owed, mail.N, func(o ticket.Owed, n int) int { return cmp.Compare(o.N, n) })
		if has {
			continue
		}
		m.owed = slices.Insert(m.owed, at, mail)
		if to := mail.OrderKey(); !m.busy[to] {
			m.busy[to] = true
			workflow.GoNamed(m.ctx, "mail "+to, func(ctx workflow.Context) { m.deliverTo(ctx, to) })
		}
	}
}

// deliverTo sends what one recipient is owed, until there is nothing left or the run ends.
func (m *deliveries) deliverTo(ctx workflow.Context, to string) {
	for mail, ok := m.firstTo(to); ok && !m.stopped; mail, ok = m.firstTo(to) {
		result, err := m.send(ctx, mail)
		if temporal.IsCanceledError(err) {
			break
		}
		if err != nil {
			workflow.GetLogger(ctx).Error("given up", "n", mail.N, "error", err)
		}
		m.remove(mail.N)
		m.settled.Send(ctx, settled{n: mail.N, bounced: result.Bounced || err != nil, asks: mail.Asks})
	}
	delete(m.busy, to)
	m.settled.Send(ctx, settled{}) // wakes the main loop, which may wait for the coroutines to end
}

func (m *deliveries) send(ctx workflow.Context, owed ticket.Owed) (ticket.DeliveryResult, error) {
	if owed.Kind == ticket.KindWebhook {
		return callWebhook(ctx, m.number, owed)
	}
	return callMail(ctx, m.number, owed)
}

func (m *deliveries) firstTo(to string) (ticket.Owed, bool) {
	for _, mail := range m.owed {
		if mail.OrderKey() == to {
			return mail, true
		}
	}
	return ticket.Owed{}, false
}

func (m *deliveries) remove(n int) {
	for i, mail := range m.owed {
		if mail.N == n {
			m.owed = append(m.owed[:i:i], m.owed[i+1:]...)
			return
		}
	}
}

// stopSending starts no more mails and cancels those under way. What is not settled stays in owed.
func (m *deliveries) stopSending() {
	m.stopped = true
	m.stop()
}

// hasRoom reports whether more mails may be added: a run's memory and the next run's input are bounded.
func (m *deliveries) hasRoom() bool { return len(m.owed) < ticket.MaxOwed }

// idle reports whether no coroutine is sending.
func (m *deliveries) idle() bool { return len(m.busy) == 0 }
