// Package e2e holds the scenarios that only the whole product can show: the programs themselves, a real PostgreSQL,
// a real Temporal server and a real SMTP server, any of which is killed in the middle. It has tests only.
package e2e
