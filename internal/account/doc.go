// Package account is how people come in: registration, invitations, passwords, one-time links, API tokens and identities
// at an OpenID provider, and the mails that go with them. It must not know HTTP, SQL, SMTP or Temporal: what it keeps is
// behind small interfaces, and what leaves the house is a Letter that somebody else writes out.
//
// Three rules hold everywhere in it. No answer tells whether somebody has an account: known and unknown addresses take
// the same path, the same work and the same words, and only a mail makes the difference. Nothing that opens an account
// is kept as it leaves the house: a link's secret is derived from its random ID, a password is hashed. And nothing
// waits for a neighbour that signing in does not need: the mails lie in an outbox, written in the transaction that owes
// them and sent by the worker's outbox, and not in a workflow as those of tickets do, because people must be able to sign in
// while Temporal is away.
package account
