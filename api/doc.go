// Package api is the JSON API of the desk: routes, who may ask for what, what input is accepted, and how answers and
// problems look. It decides nothing about tickets: that is the desk's, behind the interfaces of Config. It knows
// nothing of SQL, mail and Temporal, and no other package knows HTTP.
package api
