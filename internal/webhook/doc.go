// Package webhook calls what a policy's rungs name besides people: one signed POST for each call that an event owes, which
// says that a promise was broken and where to look, and holds no word that a person wrote. It knows HTTP and neither SQL
// nor Temporal: a Caller is a transport of the outbox, which records calls and tries them again.
package webhook
