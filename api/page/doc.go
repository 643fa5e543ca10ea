// Package page is the engine of the website: sessions, time zones, the layout, template sets that are checked at start,
// static files, forms, error pages and event streams. Each audience has its own package (account, portal, panel,
// supervision), which defines an Area: templates and a table of routes. Package page must not know the rules of tickets,
// SQL or Temporal.
package page
