package app

import (
	"context"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// numberManual adds manual commands to the ticket's commands, in order and each once. A malformed one is added too, so
// that its refusal is recorded. So is one whose key another run of the workflow has used, to be refused as a repetition:
// after a reset it may be the same signal, delivered again.
func (s *step) numberManual(ctx context.Context, signals []ticket.ManualCommand) error {
	if len(signals) == 0 {
		return nil
	}
	var keys []string
	for _, signal := range signals {
		keys = append(keys, signal.Key, repeatKey(signal))
	}
	known, err := s.tx.ManualCommands(ctx, keys)
	if err != nil {
		return err
	}
	var commands []ManualCommand
	agents := map[string]ticket.PersonID{}
	for _, signal := range signals {
		before, again := known[signal.Key], repeatKey(signal)
		if known[again].Seq != 0 || before.Seq != 0 && before.Run == signal.Run {
			continue
		}
		c, err := s.manualCommand(ctx, signal, agents)
		if err != nil {
			return err
		}
		if before.Seq != 0 {
			c = ManualCommand{ManualCommand: ticket.ManualCommand{Verb: signal.Verb, Key: again, Run: signal.Run}, Repeats: before.Seq}
		}
		s.Last++
		c.Seq = s.Last
		known[c.Key] = StoredManualCommand{Seq: c.Seq, Run: signal.Run}
		commands = append(commands, c)
	}
	return s.addManual(ctx, commands)
}

func repeatKey(signal ticket.ManualCommand) string { return signal.Key + " again by " + signal.Run }

// manualCommand resolves the agent that a manual command names, and caches the result in agents. An unknown agent is
// empty, and the domain refuses the assignment.
func (s *step) manualCommand(ctx context.Context, signal ticket.ManualCommand, agents map[string]ticket.PersonID) (ManualCommand, error) {
	c := ManualCommand{ManualCommand: signal.Checked()}
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

// addManual stores the commands together or, if the store refuses the contents of one, one by one. The refused one is
// stored as malformed.
func (s *step) addManual(ctx context.Context, commands []ManualCommand) error {
	if len(commands) == 0 {
		return nil
	}
	err := s.tx.AddManualCommands(ctx, commands, s.now)
	if err == nil || !s.unrecordable(err) {
		return err
	}
	if c := commands[0]; len(commands) == 1 {
		unreadable := ticket.ManualCommand{Key: c.Key, Run: c.Run, Verb: c.Verb, Malformed: true}
		return s.tx.AddManualCommands(ctx, []ManualCommand{{ManualCommand: unreadable, Seq: c.Seq}}, s.now)
	}
	for i := range commands {
		if err := s.addManual(ctx, commands[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}
