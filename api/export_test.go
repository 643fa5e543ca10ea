package api

// Line is a line of the route table, as the tests see it.
type Line struct{ Method, Path, ID string }

// Lines is the route table.
func Lines() []Line {
	var lines []Line
	for _, r := range routes() {
		lines = append(lines, Line{r.method, prefix + r.path, r.id})
	}
	return lines
}

// RefusesUnruled returns the error for a route without an access rule.
func RefusesUnruled() error {
	_, err := (&server{}).operation(nil, route{method: get, path: "/open"})
	return err
}
