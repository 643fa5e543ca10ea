package dispatch

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// startAge is how long a new ticket that takes no step may keep others from being started.
const startAge = 5 * time.Second

// maxWatched is how many commands are watched at once. Those of a worker that is stopped would pile up.
const maxWatched = 256

// changes are notifications of what happens to tickets. Some may be lost.
type changes interface {
	// Subscribe returns a channel of changes of all tickets, if number is empty, until leave is called. The zero Change
	// stands for a change of anything.
	Subscribe(number ticket.Number) (changes <-chan desk.Change, leave func())
}

// observeWindow is called with how many new tickets a relay starts at most before they have taken their first step, and how long
// recent starts and commands took until their step; 0: there was none since the window changed.
type observeWindow func(allowed int, start, command time.Duration)

// progress follows new tickets from their start to their first step, and commands from their signal to a step of their
// ticket, for the window.
type progress struct {
	observe observeWindow // may be nil

	mu       sync.Mutex
	leads    time.Time               // until when this relay leads: more than minWindow may be under way
	window   window                  // of a relay that leads
	starts   map[ticket.Number]begun // that took no step as far as is known
	commands map[ticket.Number]begun
}

type begun struct {
	at       time.Time
	underWay int // new tickets
}

func newProgress(observe observeWindow) *progress {
	return &progress{observe: observe, starts: map[ticket.Number]begun{}, commands: map[ticket.Number]begun{}}
}

// room returns how many new tickets may be started. Starts that took no step for startAge don't count any more, up to maxWindow:
// else two tickets whose steps fail would let no others start.
func (p *progress) room() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	young := 0
	for _, start := range p.starts {
		if now.Sub(start.at) < startAge {
			young++
		}
	}
	room := max(min(p.allowed(now)-young, maxWindow-len(p.starts)), 0)
	if room == 0 {
		p.window.full()
	}
	return room
}

func (p *progress) allowed(now time.Time) int {
	if now.After(p.leads) {
		return minWindow
	}
	return p.window.allowed(now)
}

// crowded reports whether as many new tickets are under way as every relay may start.
func (p *progress) crowded() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.starts) >= minWindow
}

// lead notes until when this relay leads. If it begins to, it measures anew: another one may have started tickets until now.
func (p *progress) lead(until time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Now().After(p.leads) {
		p.window = window{}
	}
	p.leads = until
}

// starting adds a new ticket that is about to be started.
func (p *progress) starting(n ticket.Number) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, again := p.starts[n]; !again {
		p.starts[n] = begun{time.Now(), len(p.starts) + 1}
	}
}

// notMeasured removes a new ticket whose start failed, or which took its first step at an unknown time.
func (p *progress) notMeasured(n ticket.Number) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.starts, n)
}

// signaling adds a command that is about to be signaled.
func (p *progress) signaling(n ticket.Number) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if len(p.commands) >= maxWatched {
		maps.DeleteFunc(p.commands, func(_ ticket.Number, command begun) bool { return now.Sub(command.at) > commandAge })
	}
	if _, earlier := p.commands[n]; !earlier && len(p.commands) < maxWatched {
		p.commands[n] = begun{now, len(p.starts)}
	}
}

// notSignaled removes a command whose signal failed.
func (p *progress) notSignaled(n ticket.Number) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.commands, n)
}

// stepped notes that a ticket took a step, and reports whether that makes room for a new one.
func (p *progress) stepped(n ticket.Number) (room bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	command, signaled := p.commands[n]
	if signaled {
		delete(p.commands, n)
		if now.Sub(command.at) <= commandAge { // else it says nothing about now, and its own notification may be lost
			p.window.commanded(took{command.at, now, command.underWay})
		}
	}
	start, started := p.starts[n]
	if started {
		delete(p.starts, n)
		p.window.started(took{start.at, now, start.underWay})
	}
	if p.observe != nil && (signaled || started) {
		p.observe(p.allowed(now), p.window.start.now.median(), p.window.command.now.median())
	}
	return started
}

// waiting returns the new tickets that took no step as far as is known.
func (p *progress) waiting() (some []ticket.Number) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for n := range p.starts {
		some = append(some, n)
	}
	return some
}

// forgetCommands ends the measurement of commands whose notification may be lost.
func (p *progress) forgetCommands() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.commands)
}

// watch notes the steps of which it is notified until ctx ends, and calls wake when there is room for new tickets.
func (p *progress) watch(ctx context.Context, c changes, wake func()) {
	all, leave := c.Subscribe("")
	defer leave()
	for {
		select {
		case <-ctx.Done():
			return
		case change := <-all:
			switch {
			case change == desk.Change{}:
				p.forgetCommands()
				wake() // which looks for those that took a step
			case change.Kind == desk.ChangeStepped && p.stepped(change.Number):
				wake()
			}
		}
	}
}
