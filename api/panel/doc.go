// Package panel is the agents' panel: queues, a list and the open ticket side by side, kept fresh while they are
// looked at. It renders what the desk tells it and passes on what people ask for; it knows no SQL, no Temporal and no
// rule of a ticket's life.
package panel
