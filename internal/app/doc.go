// Package app implements the use cases: taking steps of tickets, accepting commands, importing tickets, declaring
// emergencies, publishing policies and moving tickets to them, reporting. Each accesses storage through a narrow interface
// declared beside it, so that production, the import and tests run the same code. The package knows no SQL, HTTP, SMTP or
// Temporal.
package app
