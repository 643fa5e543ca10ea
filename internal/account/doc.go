// Package account implements sign-in: registration, invitations, passwords, one-time links, API tokens, identities at
// an OpenID provider, and the mails that belong to them. It must not know HTTP, SQL, SMTP or Temporal: storage is
// behind small interfaces, and a Mail holds the data of a mail that internal/mail renders.
//
// Three rules hold throughout. No response reveals whether an account exists: known and unknown addresses take the same
// path, cost the same work and get the same message; only a mail makes a difference. No credential is stored in usable
// form: a link's secret is derived from its random ID, and passwords are hashed. And signing in depends on no other
// service: account mails are written to the outbox in the transaction that causes them and sent by a worker, not by a
// workflow as those of tickets are, so that people can sign in while Temporal is down.
package account
