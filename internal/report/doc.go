// Package report computes what supervisors read of counts: promises, ratings, the desk at a glance. It is pure: what is
// counted, and where, is the caller's. It knows no SQL, HTTP or Temporal.
package report
