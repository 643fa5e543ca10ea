// Package app holds the use cases of the desk: what happens when a ticket is stepped or imported. Each use case reaches
// storage through a narrow port declared beside it, so production, the import and the tests run the same code. It knows
// no SQL, HTTP, SMTP or Temporal.
package app
