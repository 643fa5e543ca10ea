package store

import (
	"strings"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// mostUnread is how many changes wait for one who subscribes; beyond it they become one that says: look at everything.
const mostUnread = 32

// subscriber hears of one ticket's changes, or of all.
type subscriber struct {
	number  ticket.Number // empty: all
	changes chan desk.Change
}

// Subscribe gives a channel that is told of what changes on a ticket, on any with an empty number, until leave is
// called. Nobody waits for whoever reads it: changes that are not read in time become the zero Change, and after an
// outage of the connection everybody gets one. After the last change there is always something to read. Whoever
// subscribes first and looks then misses nothing.
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

// announce passes on what a commit said. What can't be read is taken for a change of anything.
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

// send never blocks. Only one goroutine tells at a time, so the emptied channel has room.
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
