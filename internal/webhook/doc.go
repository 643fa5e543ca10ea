// Package webhook calls the webhooks that the escalation steps of a policy name. A call is a signed POST request which
// says that a target was breached and links to the ticket; it contains no text that a person wrote. A Caller is a
// transport of the outbox, which records calls and retries them. The package must not know SQL or Temporal.
package webhook
