package app

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// MaxCommands is how many commands a step decides, which bounds its transaction. The result says whether more are pending.
const MaxCommands = 100

// Steps takes steps of tickets. Nothing else writes the state of a ticket.
type Steps struct {
	store StepStore
	most  int64
}

// NewSteps returns Steps over a store. Each step decides at most mostCommands commands.
func NewSteps(store StepStore, mostCommands int64) *Steps {
	return &Steps{store: store, most: mostCommands}
}

// Step takes one step of a ticket in one transaction. It is idempotent: asked again it changes nothing and returns the
// ticket as it then is. Commands are decided in order, together with undecided ones before them; a due event fires only
// when the store's clock has reached it and no command accepted before it is undecided. A command that cannot be
// recorded is refused, and what is due and cannot be recorded is parked. Step returns a NotFound fault for a ticket that
// does not exist, an Invalid one for a request without meaning, and an Unavailable one for a failure worth repeating.
func (s *Steps) Step(ctx context.Context, r ticket.StepRequest) (ticket.StepResult, error) {
	if err := checkStep(r); err != nil {
		return ticket.StepResult{}, err
	}
	result, err := s.try(ctx, r, scope{commands: s.most})
	if s.unrecordable(err) {
		result, err = s.isolate(ctx, r)
	}
	if err != nil {
		return ticket.StepResult{}, err
	}
	return result, nil
}

func checkStep(r ticket.StepRequest) error {
	asked := 0
	for _, set := range []bool{r.Command != 0, !r.Due.IsZero(), r.Bounced != 0, r.Delivered != 0, len(r.Manual) > 0, r.CatchUp} {
		if set {
			asked++
		}
	}
	if asked != 1 || r.Command < 0 || r.Bounced < 0 || r.Delivered < 0 || len(r.Manual) > ticket.MaxManual {
		return fault.New(fault.Invalid, "a step request must name exactly one of a command, a due time, a delivery, manual commands and the emergency schedule")
	}
	for _, h := range r.Manual {
		if h.Key == "" || !slices.Contains(ticket.Signals(), h.Verb) {
			return fault.New(fault.Invalid, "a manual command must have a key and a known verb")
		}
	}
	return nil
}

// scope bounds what one attempt at a step does. A narrow one isolates what cannot be recorded.
type scope struct {
	commands     int64 // decided at most
	refuseFirst  bool  // the first of them is refused as unrecordable
	commandsOnly bool  // neither transitions nor deliveries are recorded
}

func (s *Steps) try(ctx context.Context, r ticket.StepRequest, sc scope) (result ticket.StepResult, err error) {
	err = s.store.StepTx(ctx, r.Number, func(l LockedTicket, tx StepTx) error {
		st := newStep(l, tx, sc, s.unrecordable)
		result, err = st.run(ctx, r)
		return err
	})
	return result, err
}

func (s *Steps) unrecordable(err error) bool {
	_, is := s.unrecordableReason(err)
	return is
}

func (s *Steps) unrecordableReason(err error) (string, bool) {
	switch {
	case err == nil:
		return "", false
	case errors.Is(err, ticket.ErrUncomputable):
		return ticket.ErrUncomputable.Error(), true
	default:
		return s.store.Unrecordable(err)
	}
}

// isolate takes a step that cannot be recorded as a whole. It decides fewer and fewer commands at once until it finds the
// one that cannot be recorded, and refuses that. If even the refusal cannot be recorded, the cause is an earlier due event
// or transition, which is parked to be retried and never dropped.
func (s *Steps) isolate(ctx context.Context, r ticket.StepRequest) (ticket.StepResult, error) {
	commands := ticket.StepRequest{Number: r.Number, LastDelivery: r.LastDelivery, Command: 1}
	first := commands
	if len(r.Manual) > 0 {
		first = r
	}
	result, err := s.try(ctx, first, scope{commandsOnly: true}) // numbers manual commands and decides nothing
	if err != nil {
		return result, err
	}
	commands.Command = result.LastCommand
	if result.Digest.Command < result.LastCommand {
		result, err = s.decideSome(ctx, commands)
		switch {
		case s.unrecordable(err):
			return s.park(ctx, commands, err)
		case err != nil, result.Digest.Command < result.LastCommand:
			return result, err
		}
	}
	if !r.CatchUp && r.Due.IsZero() && r.Bounced == 0 && r.Delivered == 0 {
		return result, nil
	}
	result, err = s.try(ctx, r, scope{commands: s.most})
	if s.unrecordable(err) {
		return s.park(ctx, commands, err)
	}
	return result, err
}

// decideSome decides as many commands as can be recorded at once, or refuses the first.
func (s *Steps) decideSome(ctx context.Context, r ticket.StepRequest) (ticket.StepResult, error) {
	for most := s.most / 2; most > 0; most /= 2 {
		result, err := s.try(ctx, r, scope{commands: most, commandsOnly: true})
		if !s.unrecordable(err) {
			return result, err
		}
	}
	return s.try(ctx, r, scope{commands: 1, refuseFirst: true, commandsOnly: true})
}

// The delays between attempts to record what is parked; see ParkRequest.
const (
	parkDelay    = time.Minute
	maxParkDelay = 10 * time.Minute
)

func (s *Steps) park(ctx context.Context, r ticket.StepRequest, cause error) (ticket.StepResult, error) {
	reason, _ := s.unrecordableReason(cause)
	err := s.store.Park(ctx, ParkRequest{Number: r.Number, Reason: reason, Delay: parkDelay, MaxDelay: maxParkDelay})
	if err != nil {
		return ticket.StepResult{}, err
	}
	return s.try(ctx, r, scope{commandsOnly: true})
}

// numberManual adds manual commands to the ticket's commands, in order and each once. A malformed one is added too, so
// that its refusal is recorded. So is one whose key another run of the workflow has used, to be refused as a repetition:
// after a reset it may be the same signal, delivered again.
func (s *step) numberManual(ctx context.Context, signals []ticket.ManualCommand) error {
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
			c = ManualCommand{ManualCommand: ticket.ManualCommand{Verb: h.Verb, Key: again, Run: h.Run}, Repeats: before.Seq}
		}
		s.Last++
		c.Seq = s.Last
		known[c.Key] = StoredManualCommand{Seq: c.Seq, Run: h.Run}
		commands = append(commands, c)
	}
	return s.addManual(ctx, commands)
}

func repeatKey(h ticket.ManualCommand) string { return h.Key + " again by " + h.Run }

// manualCommand resolves the agent that a manual command names, and caches the result in agents. An unknown agent is
// empty, and the domain refuses the assignment.
func (s *step) manualCommand(ctx context.Context, h ticket.ManualCommand, agents map[string]ticket.PersonID) (ManualCommand, error) {
	c := ManualCommand{ManualCommand: h.Checked()}
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
