// Package app holds the use cases: taking steps of tickets, importing tickets, declaring emergencies, publishing policies
// and moving tickets to them. Each use case reaches storage through a narrow port declared beside it, so that production,
// the import and the tests run the same code. The package knows no SQL, HTTP, SMTP or Temporal.
package app
