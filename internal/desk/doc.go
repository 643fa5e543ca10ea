// Package desk holds the types that people read and write: who they are, tickets as they are shown with their clocks and
// timelines, submissions and commands, emergencies, versions of the policy. They check themselves and compute what is
// shown of them; what is done with them is internal/app's. The package knows no SQL, HTTP or Temporal.
package desk
