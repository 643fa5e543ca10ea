package desk

import (
	"net/url"
	"strings"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// Saved is a filter kept under a name.
type Saved struct {
	ID     int64 // 0: not saved yet
	Name   string
	Query  string // of the list's address, such as "queue=all&status=open"
	Shared bool   // for all staff; otherwise its author's own
	Author Ref
	Yours  bool // the viewer may edit and delete it
}

// In characters and bytes.
const (
	maxFilterName  = 60
	maxFilterQuery = 2000
)

// Check gives an Invalid fault that names every field in which a filter can't be kept: name, query.
func (s Saved) Check() error {
	var wrong []fault.Detail
	if !validName(s.Name, maxFilterName) {
		wrong = append(wrong, fault.Detail{Field: "name", Message: "must have 1 to 60 characters, in one line and all of them visible"})
	}
	if _, err := url.ParseQuery(s.Query); err != nil || len(s.Query) > maxFilterQuery || strings.ContainsFunc(s.Query, unspeakable) {
		wrong = append(wrong, fault.Detail{Field: "query", Message: "must be the query of a list's address, 2000 bytes at most"})
	}
	if len(wrong) > 0 {
		return fault.Fields(wrong...)
	}
	return nil
}
