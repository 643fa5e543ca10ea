// Package ticket is the domain: what a ticket is, what may be asked of it, and what follows. A decision takes the
// ticket's state, a command and an instant, and gives events and mails, or a refusal with its reason. Everything
// here is pure: no clock is read, no map is ranged over, nothing is stored or sent. It must never hold a word that
// somebody wrote, a name or an address: its values live in Temporal histories.
package ticket
