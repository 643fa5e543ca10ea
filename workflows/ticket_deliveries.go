package workflows

import (
	"cmp"
	"slices"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// settled is a delivery that was made or failed permanently.
type settled struct {
	n       int
	bounced bool
	asks    bool
}

// deliveries makes the pending deliveries of a ticket beside its main loop, one after the other for each recipient, so that
// a full mailbox delays only its owner's mails. Pending deliveries are in order, and passed on to the next run.
type deliveries struct {
	number  ticket.Number
	pending []ticket.Owed
	busy    map[string]bool // recipients with a running coroutine, by order key
	settled []settled       // not yet taken by the main loop
	wake    func()          // wakes the main loop
	ctx     workflow.Context
	sending workflow.Context // of the coroutines, until stop; nil: there was none yet
	stop    workflow.CancelFunc
	stopped bool
	sendNow bool // the last step allows to send mails within the workflow task

	slow    map[string]bool // those of busy whose delivery outlasts the workflow task
	awaited bool            // the main loop waits for the others
}

func newDeliveries(ctx workflow.Context, number ticket.Number, wake func()) *deliveries {
	return &deliveries{number: number, ctx: ctx, wake: wake}
}

// add adds deliveries that are not pending yet, and starts a coroutine for each recipient without one.
func (d *deliveries) add(all []ticket.Owed) {
	for _, owed := range all {
		at, has := slices.BinarySearchFunc(d.pending, owed.N, func(o ticket.Owed, n int) int { return cmp.Compare(o.N, n) })
		if has {
			continue
		}
		d.pending = slices.Insert(d.pending, at, owed)
		if to := owed.OrderKey(); !d.busy[to] {
			d.start(to)
		}
	}
}

// start starts the coroutine of a recipient. Most tickets wait with no delivery at all, and so without what it needs.
func (d *deliveries) start(to string) {
	if d.sending == nil {
		d.busy, d.slow = map[string]bool{}, map[string]bool{}
		d.sending, d.stop = workflow.WithCancel(d.ctx)
		if d.stopped {
			d.stop()
		}
	}
	d.busy[to] = true
	workflow.GoNamed(d.sending, "mail "+to, func(ctx workflow.Context) { d.deliverTo(ctx, to) })
}

// takeSettled returns the deliveries that were settled since the last call.
func (d *deliveries) takeSettled() []settled {
	taken := d.settled
	d.settled = nil
	return taken
}

// deliverTo makes the deliveries of one recipient until none is left or the run ends.
func (d *deliveries) deliverTo(ctx workflow.Context, to string) {
	for owed, ok := d.firstTo(to); ok && !d.stopped; owed, ok = d.firstTo(to) {
		result, err := d.send(ctx, owed)
		if temporal.IsCanceledError(err) {
			break
		}
		if err != nil {
			workflow.GetLogger(ctx).Error("given up", "n", owed.N, "error", err)
		}
		d.remove(owed.N)
		d.settled = append(d.settled, settled{n: owed.N, bounced: result.Bounced || err != nil, asks: owed.Asks})
		d.wake()
	}
	delete(d.busy, to)
	d.wake() // the main loop may wait for the coroutines to end
}

func (d *deliveries) send(ctx workflow.Context, owed ticket.Owed) (ticket.DeliveryResult, error) {
	if d.sendNow && owed.Kind != ticket.KindWebhook {
		result, err := callSendNow(ctx, d.number, owed)
		if temporal.IsCanceledError(err) || err == nil && !result.Pending {
			return result, err
		}
		d.sendNow = false // a further mail would wait as long
	}
	to := owed.OrderKey()
	d.slow[to] = true
	defer delete(d.slow, to)
	if d.awaited {
		d.awaited = false
		d.wake()
	}
	if owed.Kind == ticket.KindWebhook {
		return callWebhook(ctx, d.number, owed)
	}
	return callMail(ctx, d.number, owed)
}

// sendingNow reports whether mails are being sent within the workflow task. If so, the main loop is woken when none is.
func (d *deliveries) sendingNow() bool {
	d.awaited = d.sendNow && len(d.busy) > len(d.slow)
	return d.awaited
}

func (d *deliveries) firstTo(to string) (ticket.Owed, bool) {
	for _, owed := range d.pending {
		if owed.OrderKey() == to {
			return owed, true
		}
	}
	return ticket.Owed{}, false
}

func (d *deliveries) remove(n int) {
	for i, owed := range d.pending {
		if owed.N == n {
			d.pending = append(d.pending[:i:i], d.pending[i+1:]...)
			return
		}
	}
}

// stopSending starts no further deliveries and cancels those under way. Deliveries not settled remain in pending.
func (d *deliveries) stopSending() {
	d.stopped = true
	if d.stop != nil {
		d.stop()
	}
}

// hasRoom reports whether more deliveries may be added. The limit bounds memory and the input of the next run.
func (d *deliveries) hasRoom() bool { return len(d.pending) < ticket.MaxOwed }

// none reports whether no delivery is pending and more may be started.
func (d *deliveries) none() bool { return !d.stopped && len(d.pending) == 0 && d.idle() }

// idle reports whether no coroutine is running.
func (d *deliveries) idle() bool { return len(d.busy) == 0 }
