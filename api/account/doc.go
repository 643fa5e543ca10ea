// Package account serves the pages for signing in and out, links from mails, registration, passwords, a person's own
// account with its API tokens, and, for administrators, all accounts. The rules are those of internal/account. It knows
// no SQL, SMTP or Temporal.
package account
