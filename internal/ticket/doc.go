// Package ticket is the domain: tickets, the commands on them, and the rules that decide what follows.
//
// A decision takes a ticket's state, a command and an instant, and returns events and mails, or a refusal with its
// reason. The package is pure: it reads no clock, no random source but for new IDs, and nothing in map iteration order,
// and it neither stores nor sends anything. Its values are recorded in Temporal histories, so they must hold no text that
// people wrote, no names and no addresses; those are referred to by ID.
package ticket
