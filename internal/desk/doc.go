// Package desk is what the people around a ticket see of it: who they are, what they may read, a submission, a
// list, a ticket with its clocks, a timeline, a letter. It carries commands from whoever acts to whoever stores
// and delivers them, and waits for their outcome. It knows no HTTP, no SQL and no Temporal.
package desk
