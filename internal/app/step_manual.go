package app

import (
	"context"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// number makes commands of signals by hand, in order, each once. What cannot be read becomes a command too: its refusal
// is the answer that the sender sees. So does a signal that another run of the workflow has delivered before: after a
// reset it may be that one again, or another one that says the same.
func (s *step) numberManual(ctx context.Context, signals []ticket.ByHand) error {
	var keys []string
	for _, h := range signals {
		keys = append(keys, h.Key, repeatKey(h))
	}
	known, err := s.tx.ManualCommands(ctx, keys)
	if err != nil {
		return err
	}
	var commands []ManualCommand
	agents := map[string]ticket.PersonID{}
	for _, h := range signals {
		before, again := known[h.Key], repeatKey(h)
		if known[again].Seq != 0 || before.Seq != 0 && before.Run == h.Run {
			continue
		}
		c, err := s.manualCommand(ctx, h, agents)
		if err != nil {
			return err
		}
		if before.Seq != 0 {
			c = ManualCommand{ByHand: ticket.ByHand{Verb: h.Verb, Key: again, Run: h.Run}, Repeats: before.Seq}
		}
		s.Last++
		c.Seq = s.Last
		known[c.Key] = NumberedManual{Seq: c.Seq, Run: h.Run}
		commands = append(commands, c)
	}
	return s.addManual(ctx, commands)
}

func repeatKey(h ticket.ByHand) string { return h.Key + " again by " + h.Run }

// manualCommand looks each agent up once and keeps the ID among agents; empty: there is no such agent, and the domain
// refuses an assignment to no one.
func (s *step) manualCommand(ctx context.Context, h ticket.ByHand, agents map[string]ticket.PersonID) (ManualCommand, error) {
	c := ManualCommand{ByHand: h.Checked()}
	if _, known := agents[c.Agent]; !known && c.Agent != "" {
		agent, err := s.tx.Staff(ctx, c.Agent)
		if err != nil && fault.KindOf(err) != fault.NotFound {
			return c, err
		}
		agents[c.Agent] = agent
	}
	c.Assignee = agents[c.Agent]
	return c, nil
}

// addManual stores the commands together or, if the store refuses one for what is in it, one by one: the refused one is
// stored as a command that cannot be read.
func (s *step) addManual(ctx context.Context, commands []ManualCommand) error {
	if len(commands) == 0 {
		return nil
	}
	err := s.tx.AddManualCommands(ctx, commands, s.now)
	if err == nil || !s.unrecordable(err) {
		return err
	}
	if c := commands[0]; len(commands) == 1 {
		unreadable := ticket.ByHand{Key: c.Key, Run: c.Run, Verb: c.Verb, Malformed: true}
		return s.tx.AddManualCommands(ctx, []ManualCommand{{ByHand: unreadable, Seq: c.Seq}}, s.now)
	}
	for i := range commands {
		if err := s.addManual(ctx, commands[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}
