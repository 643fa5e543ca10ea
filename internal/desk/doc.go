// Package desk holds the types that pages and the API read and write: people, tickets with their clocks and timelines,
// submissions and commands, emergencies, policy versions. The types validate themselves and compute what is shown; the use
// cases are in internal/app. The package knows no SQL, HTTP or Temporal.
package desk
