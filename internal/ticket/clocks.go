package ticket

import (
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// ledger collects the ledger entries of one event. Each is computed on the clock as the previous ones left it.
type ledger struct {
	s       *decider
	entries []ClockEntry
	clocks  map[policy.ClockName]policy.Clock
}

func (s *decider) ledger() *ledger {
	return &ledger{s: s, clocks: map[policy.ClockName]policy.Clock{
		policy.FirstResponse: s.t.FirstResponse.Clock,
		policy.Resolution:    s.t.Resolution.Clock,
	}}
}

func (l *ledger) write(name policy.ClockName, entry policy.LedgerEntry, changed bool, err error) {
	if err != nil {
		l.s.err = err
		return
	}
	if changed {
		l.clocks[name] = l.clocks[name].Append(entry)
		l.entries = append(l.entries, ClockEntry{Clock: name, Entry: entry})
	}
}

func (l *ledger) start(p *policy.Policy, priority policy.Priority) {
	for _, name := range policy.ClockNames() {
		entry, err := policy.Start(p.Calendar, l.clocks[name].Counts, l.s.at, p.Target(name, priority))
		l.write(name, entry, true, err)
	}
}

// pause pauses every clock that the policy pauses for a reason. An emergency pauses all of them.
func (l *ledger) pause(reason policy.Reason) {
	for _, name := range policy.ClockNames() {
		if reason == policy.ReasonEmergency || slices.Contains(l.s.env.Policy.Clocks[name].Pauses, reason) {
			entry, changed := l.clocks[name].Pause(l.s.env.Policy.Calendar, l.s.at, reason)
			l.write(name, entry, changed, nil)
		}
	}
}

func (l *ledger) resume(reason policy.Reason) {
	for _, name := range policy.ClockNames() {
		entry, changed, err := l.clocks[name].Resume(l.s.env.Policy.Calendar, l.s.at, reason)
		l.write(name, entry, changed, err)
	}
}

func (l *ledger) settle(name policy.ClockName) {
	entry, changed := l.clocks[name].Meet(l.s.env.Policy.Calendar, l.s.at)
	l.write(name, entry, changed, nil)
}

func (l *ledger) reopen(name policy.ClockName) {
	entry, changed, err := l.clocks[name].Reopen(l.s.env.Policy.Calendar, l.s.at)
	l.write(name, entry, changed, err)
}

// decided reports whether a clock's promise can no longer change: it was breached, or it is a first response that was
// met. The clock keeps the target that it was measured against.
func (l *ledger) decided(name policy.ClockName) bool {
	return !l.s.t.Promise(name).BreachedAt.IsZero() || name == policy.FirstResponse && l.clocks[name].Met()
}

// retarget sets the undecided clocks to the targets of a priority.
func (l *ledger) retarget(priority policy.Priority) {
	for _, name := range policy.ClockNames() {
		if l.decided(name) {
			continue
		}
		target := l.s.env.Policy.Target(name, priority)
		entry, changed, err := l.clocks[name].Retarget(l.s.env.Policy.Calendar, l.s.at, target)
		l.write(name, entry, changed, err)
	}
}

// extend lengthens the targets of the undecided clocks.
func (l *ledger) extend(by time.Duration) {
	for _, name := range policy.ClockNames() {
		if l.decided(name) {
			continue
		}
		entry, changed, err := l.clocks[name].Extend(l.s.env.Policy.Calendar, l.s.at, by)
		l.write(name, entry, changed, err)
	}
}
