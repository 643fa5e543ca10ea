package desk

import "strings"

// TicketPaths returns a function that returns the path of the page of a ticket that a message mentions by its number, for
// staff or for customers. Numbers with another prefix than that of new tickets are none: other words look like them.
func TicketPaths(prefix string, staff bool) func(number string) string {
	path := "/tickets/"
	if staff {
		path = "/desk/tickets/"
	}
	return func(number string) string {
		if !strings.HasPrefix(number, prefix+"-") {
			return ""
		}
		return path + number
	}
}
