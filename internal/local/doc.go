// Package local is the stack that `supportdesk up` and the tests run on one machine: a PostgreSQL and a Temporal
// server as child processes, and a mailbox that takes every mail over real SMTP and shows it. Children never
// outlive the process that started them, and nothing here deletes what a data directory holds. It knows nothing
// of tickets, and no production command may use it.
package local
