// Package webhook calls what a policy's rungs name besides people: one signed POST for each call that an event owes, which
// says that a promise was broken and where to look, and holds no word that anybody wrote. It knows HTTP and neither SQL
// nor Temporal: what is owed comes from an outbox, and whoever asks for a call tries again.
package webhook
