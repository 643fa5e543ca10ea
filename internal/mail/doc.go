// Package mail turns letters into mails and hands them to an SMTP server: the words of every kind of mail, the
// headers that keep one ticket one thread, and the account of what became of a mail (sent, refused for good, or to
// be tried again). It must not know SQL, Temporal or HTTP: its transports load
// and send what an outbox (internal/outbox) delivers: the mails of tickets, of announcements and of accounts.
//
// No error of this package holds a name, an address or a sentence that somebody wrote, because errors travel into
// Temporal. What a server said about a refused mail is kept apart, in Undeliverable.Reason.
package mail
