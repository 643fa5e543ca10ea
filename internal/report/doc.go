// Package report computes reports for supervisors from counts: promises, ratings, an overview of open tickets. It is pure;
// the caller counts. It knows no SQL, HTTP or Temporal.
package report
