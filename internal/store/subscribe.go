package store

import (
	"strings"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// mostUnread is how many changes are buffered for a subscriber. Beyond it they are replaced by the zero Change.
const mostUnread = 32

// subscriber receives the changes of one ticket, or of all.
type subscriber struct {
	number  ticket.Number // empty for all tickets
	changes chan desk.Change
}

// Subscribe returns a channel of changes of a ticket, or of all tickets if number is empty, until leave is called.
// Senders never wait: changes that are not received in time are replaced by the zero Change, which stands for a change
// of anything. Every subscriber receives it after an outage of the connection, too. A caller that subscribes first and
// then reads the current state misses no change.
func (o *Outcomes) Subscribe(number ticket.Number) (changes <-chan desk.Change, leave func()) {
	s := &subscriber{number: number, changes: make(chan desk.Change, mostUnread)}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.subscribers[s] = true
	return s.changes, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.subscribers, s)
	}
}

// announce sends a notification to subscribers. One that can't be parsed becomes the zero Change.
func (o *Outcomes) announce(notice string) {
	number, kind, _ := strings.Cut(notice, ":")
	c := desk.Change{Number: ticket.Number(number), Kind: desk.ChangeKind(kind)}
	if kind == "" {
		c = desk.Change{}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for s := range o.subscribers {
		if s.number == "" || c.Number == "" || s.number == c.Number {
			s.send(c)
		}
	}
}

// send never blocks. Only one goroutine sends at a time, so there is room in the channel after it is drained.
func (s *subscriber) send(c desk.Change) {
	select {
	case s.changes <- c:
		return
	default:
	}
	for {
		select {
		case <-s.changes:
		default:
			s.changes <- desk.Change{}
			return
		}
	}
}
