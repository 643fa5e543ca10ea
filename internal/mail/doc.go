// Package mail renders mails and sends them to an SMTP server. It sets the headers that keep the mails of a ticket in one
// thread, and returns whether a mail was sent, rejected for good, or is to be tried again. Its transports load and send
// deliveries of an outbox: mails of tickets, of announcements and of accounts. It knows no SQL, Temporal or HTTP.
//
// No error of this package contains names, addresses or text that people wrote, because errors are recorded in Temporal.
// What a server replied about a rejected mail is separate, in Undeliverable.Reason.
package mail
