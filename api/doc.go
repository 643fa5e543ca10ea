// Package api implements the JSON API: its routes, the access rule of each, validation of requests, and responses,
// including problem details (RFC 9457). It also mounts the website's pages, which its sub-packages implement.
//
// It decides nothing about tickets; the use cases of internal/app do, behind the interfaces in Config. It must not know
// SQL, mail or Temporal.
package api
