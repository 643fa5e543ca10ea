// Package local runs the stack of `supportdesk up` and of tests on one machine: PostgreSQL and Temporal servers as
// child processes, and a mailbox that receives all mail over SMTP and shows it. Children do not outlive their parent,
// and nothing here deletes data. It knows nothing of tickets and is not used in production.
package local
