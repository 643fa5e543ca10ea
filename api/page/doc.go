// Package page is the engine of the website's pages: who asks and in which zone, one layout, sets of templates that
// are declared and checked at the start, static files, forms, errors and streams. Each audience has a package of its
// own beside it (account, portal, panel, supervision) that brings an Area: templates and a table of routes. It knows
// no ticket's rules, no SQL and no Temporal; a page's words come from the desk.
package page
