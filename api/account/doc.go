// Package account is the pages on which people come in and look after their accounts: signing in and out, links from
// mails, registration, passwords, a person's own account with its API tokens, and for administrators everybody's. The
// rules are those of internal/account; here they are only asked and shown. It knows no SQL, no SMTP and no Temporal.
package account
