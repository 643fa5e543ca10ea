// Package panel renders the agents' panel: queues, the list of tickets and the open ticket, with live updates. It
// renders what internal/desk returns and sends commands; it knows no SQL, no Temporal and none of the rules of the
// domain.
package panel
