// Package app holds the use cases of the desk over narrow ports. It knows no SQL, HTTP, SMTP or Temporal.
package app
