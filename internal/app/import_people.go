package app

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// importPeople caches audiences, handles and rosters for an import, and updates the rosters as its tickets are assigned.
type importPeople struct {
	tx        ImportTx
	audiences map[policy.Audience][]ticket.PersonID
	handles   map[string]ticket.PersonID // empty: no one has it
	rosters   ticket.Rosters
	loads     map[ticket.PersonID]int // of the tickets in this import
	turns     []RotationTurn
}

func newImportPeople(tx ImportTx) *importPeople {
	return &importPeople{
		tx: tx, audiences: map[policy.Audience][]ticket.PersonID{}, handles: map[string]ticket.PersonID{},
		rosters: ticket.Rosters{}, loads: map[ticket.PersonID]int{},
	}
}

// Disabled implements StepTx. It returns none, since mails of the past reached their recipients.
func (im *importPeople) Disabled(context.Context, []ticket.PersonID) (map[ticket.PersonID]Disabled, error) {
	return nil, nil
}

// Audience implements StepTx.
func (im *importPeople) Audience(ctx context.Context, a policy.Audience) (people []ticket.PersonID, err error) {
	people, known := im.audiences[a]
	if !known {
		people, err = im.tx.Audience(ctx, a)
		im.audiences[a] = people
	}
	return people, err
}

// StaffByHandle implements StepTx.
func (im *importPeople) StaffByHandle(ctx context.Context, handles []string) (map[string]ticket.PersonID, error) {
	found := map[string]ticket.PersonID{}
	for _, handle := range handles {
		key := strings.ToLower(handle)
		person, known := im.handles[key]
		if !known {
			people, err := im.tx.StaffByHandle(ctx, []string{handle})
			if err != nil {
				return nil, err
			}
			person = people[key]
			im.handles[key] = person
		}
		if person != "" {
			found[key] = person
		}
	}
	return found, nil
}

// Staff implements StepTx. Only manual commands need it.
func (im *importPeople) Staff(context.Context, string) (ticket.PersonID, error) {
	return "", fault.New(fault.NotFound, "an import has no manual commands")
}

// Roster implements StepTx. It returns the members available now, with loads that include this import.
func (im *importPeople) Roster(ctx context.Context, group string) ([]ticket.Candidate, error) {
	if _, known := im.rosters[group]; !known {
		present, err := im.tx.Roster(ctx, group)
		if err != nil {
			return nil, err
		}
		im.rosters[group] = present
	}
	present := slices.Clone(im.rosters[group])
	for i := range present {
		present[i].Load += im.loads[present[i].ID]
	}
	return present, nil
}

// follow updates loads and turns after a step.
func (im *importPeople) follow(c StepChanges) {
	if countsAsLoad(c.Was.Ticket) {
		im.loads[c.Was.Ticket.Assignee]--
	}
	if countsAsLoad(c.State.Ticket) {
		im.loads[c.State.Ticket.Assignee]++
	}
	im.turns = append(im.turns, c.Turns...)
	for _, turn := range c.Turns {
		present := im.rosters[turn.Group]
		last := slices.MaxFunc(present, func(a, b ticket.Candidate) int { return cmp.Compare(a.Turn, b.Turn) }).Turn
		i := slices.IndexFunc(present, func(p ticket.Candidate) bool { return p.ID == turn.Person })
		present[i].Turn = last + 1
	}
}

// countsAsLoad reports whether a ticket counts towards its assignee's load.
func countsAsLoad(t ticket.Ticket) bool {
	return slices.Contains([]ticket.Status{ticket.StatusNew, ticket.StatusOpen, ticket.StatusWaiting}, t.Status)
}
